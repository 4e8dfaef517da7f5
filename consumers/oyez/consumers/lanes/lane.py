"""A lane: a place in which one unit of a handler's deliveries is run at a time, in a transaction of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..core.outcomes import Failed, TimedOut
from ..core.report import Report
from ..database.connection import HandlerConnection
from ..database.engine import Database, DatabaseAway
from ..execution.careful import LONE_DEATHS
from ..execution.execution import Execution
from ..execution.reader import Reader
from ..retry.claim import NotedClaim
from ..retry.retrying import ALONE
from .unit import Unit

ABANDONED = float("inf")


class LaneDatabase(Database):
    """The database as one lane has it: whoever watches the lane can end the connection that it uses."""

    driver: Any = None
    """The driver's connection of the transaction that is under way."""

    @contextmanager
    def handling(self) -> Iterator[HandlerConnection]:
        with super().handling() as db:
            self.driver = db.connection.dbapi_connection
            try:
                yield db
            finally:
                self.driver = None

    def abort(self) -> None:
        """End what is under way: whoever waits for an answer gets an error."""
        if self.driver is not None:
            self.dialect.abort(self.driver)


class Lane:
    """Runs units, one after another; it belongs to one thread or task at a time."""

    def __init__(
        self,
        make: Callable[[Database], Execution],
        database: Callable[[Callable[[], float]], LaneDatabase],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """``make`` makes the execution over a database, and ``database`` one that gives up when it is told to."""
        self._is_abandoned = False
        self._database = database(self._stopping)
        self._execution = make(self._database)
        self._reader = Reader(self._execution.group)
        self._timer = timer
        self.began: float | None = None
        """When the handler of the unit that is under way was called, by the timer; None if it is not."""

    def run(self, unit: Unit) -> Report:
        """Run a unit; raises `DatabaseAway`. What was not done is as it was."""
        try:
            if unit.unfinished >= ALONE + LONE_DEATHS:
                return self._execution.bury(self._claim(unit))
            if len(unit.ids) == 1:
                return self._execution.handle_alone(self._claim(unit))
            return self._execution.handle(self._claim(unit))
        finally:
            self.began = None

    def time_out(self, unit: Unit, seconds: float) -> Report:
        """Write down that another lane, which was abandoned, took too long for a unit."""
        error = TimedOut(seconds)
        return self._execution.say(self._claim(unit), Failed(f"TimedOut: {error}", TimedOut.__name__))

    def abandon(self) -> None:
        """Nobody waits for this lane any more: its connection is ended, so that what it had begun is undone."""
        self._is_abandoned = True
        self._database.abort()

    def abort(self) -> None:
        """End its connection: what it has begun is undone."""
        self._database.abort()

    def _claim(self, unit: Unit) -> NotedClaim:
        return NotedClaim(self._execution.group, self._reader, unit.number, unit.ids, self._begin)

    def _begin(self) -> None:
        self.began = self._timer()

    def _stopping(self) -> float:
        return ABANDONED if self._is_abandoned else 0.0


def is_away(error: BaseException) -> bool:
    """Whether a unit ended only because the database is away."""
    return isinstance(error, DatabaseAway)
