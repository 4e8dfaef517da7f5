"""What is paused, by whom, since when, and how it is resumed."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from ..database import pauses
from ..database.pauses import ANY, Pause, Scope
from .times import utc


@dataclass(frozen=True, slots=True)
class PauseState:
    """A pause that holds: of a group, a handler or a key, each None where it is not narrowed down by that. ``since`` is
    aware, in UTC; ``resumed_by`` is the command that ends it."""

    group: str | None
    handler: str | None
    key: str | None
    since: datetime
    paused_by: str
    reason: str | None
    resumed_by: str

    @property
    def scope(self) -> Scope:
        """What it is of."""
        return Scope(self.group or ANY, self.handler or ANY, self.key or ANY)

    def concerns(self, group: str, handler: str, key: str | None) -> bool:
        """Whether it holds up a delivery."""
        return (
            self.group in (None, group)
            and (self.handler is None or self.handler == handler)
            and (self.key is None or self.key == key)
        )


@dataclass(frozen=True, slots=True)
class GroupPause(PauseState):
    """A pause as it concerns one group: ``held`` deliveries of it are due, but for that."""

    held: int = 0

    @classmethod
    def of(cls, one: PauseState, held: int) -> GroupPause:
        """A pause that holds up so many."""
        return cls(**asdict(one), held=held)


def pauses_of(db: Connection, app: str) -> list[PauseState]:
    """What of an application is paused; the oldest pause first."""
    return [_state(one) for one in pauses.read(db, app) if one.holds]


def of_group(found: Iterable[PauseState], group: str, handlers: Sequence[str]) -> list[PauseState]:
    """Those of a group, of its handlers, and of keys of all."""
    return [one for one in found if one.group in (None, group) and one.handler in (None, *handlers)]


def _state(one: Pause) -> PauseState:
    group, handler, key = (part or None for part in one.scope)
    return PauseState(group, handler, key, utc(one.since), one.paused_by, one.reason, command(one.scope))


def command(scope: Scope) -> str:
    """The command that resumes it."""
    name = scope.group or scope.handler
    key = f"--key {shlex.quote(scope.key)}" if scope.key else ""
    return " ".join(filter(None, ["oyez resume", name and shlex.quote(name), key]))
