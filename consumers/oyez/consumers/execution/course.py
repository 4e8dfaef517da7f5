"""How a batch is run, after what has happened to it so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError

from ..database.engine import ConnectionLost, Database, DatabaseAway
from .careful import OneByOne, more_careful
from .memory import Memory
from .runners import HandlerFailed, Runner, Together
from .wary import Wary

CONFLICTS_TOGETHER = 5
CONFLICTS_AT_ALL = 100


@dataclass
class Course:
    """Says how a batch is to be run next: together at first, in parts where it failed. ``sleep`` takes seconds."""

    database: Database
    sleep: Callable[[float], None]
    memory: Memory = field(default_factory=Memory)
    wary: Wary = field(default_factory=Wary)
    _conflicts: int = 0
    _losses: int = 0

    def after_failure(self, failed: HandlerFailed) -> Runner:
        """A handler failed: from now on it is run in parts that can be undone, if nothing else was said."""
        if failed.then is not None:
            return failed.then
        self.wary.failed(failed.handler)
        return Together(self.memory, self.wary, failed)

    def after_loss(self, error: ConnectionLost) -> Runner:
        """The connection was lost. If the database answers, then it was this connection alone, and perhaps a handler
        that broke it. Raises `ConnectionLost` if it does not."""
        self._losses += 1
        if self._losses >= CONFLICTS_AT_ALL or self.database.gives_up() or not self.database.answers():
            raise error
        self.memory.lose()
        return OneByOne(self.memory)

    def after_refusal(self, runner: Runner, error: DBAPIError) -> Runner:
        """The database refused the transaction: another one was in the way, or something that it checks at the end.
        Raises `DatabaseAway` if it is nobody's fault, and after too many conflicts."""
        if not self.database.is_conflict(error):
            careful = more_careful(runner, self.memory)
            if careful is None:
                raise self.database.refusal(error) from error
            return careful
        self._conflicts += 1
        if self._conflicts >= CONFLICTS_AT_ALL or self.database.gives_up():
            cause: Any = error.orig
            raise DatabaseAway(
                f"other transactions were in the way {self._conflicts} times: {cause}"
            ) from error
        self.sleep(self.database.pause())
        if self._conflicts >= CONFLICTS_TOGETHER and self.database.dialect.locks_rows:
            return OneByOne(self.memory)
        return runner
