"""What operators have paused, as far as one process knows. It looks from time to time, and whenever it claims."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ..database import pauses
from ..database.engine import Database
from ..database.pauses import Pause
from ..handlers.application import Application, Group

LOOK_EVERY = 1.0  # s; how long a pause may go unnoticed by a worker that nobody wakes
NO_KEYS: Mapping[str, frozenset[str]] = {}


@dataclass(frozen=True, slots=True)
class PausedParts:
    """What of a group is paused. ``handlers`` are those of which nothing runs, all of them if ``is_whole``; ``keys``
    has, by handler, the keys of which nothing runs. ``said`` is each pause in words."""

    is_whole: bool
    handlers: frozenset[str]
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    def holds(self, handler: str, key: str | None) -> bool:
        """Whether this handler's deliveries of this key are paused."""
        return handler in self.handlers or (key is not None and key in self.keys.get(handler, ()))


class Pauses:
    """The pauses that concern one group, as they were when they were last read."""

    def __init__(self, database: Database, group: Group, timer: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._group = group
        self._timer = timer
        self._looked = float("-inf")
        self.now: PausedParts | None = None
        """What is paused; None if nothing is."""
        self.running: Sequence[str] = list(group.by_name)
        """The group's handlers of which something may run."""
        self.left: Mapping[str, frozenset[str]] = NO_KEYS
        """By handler: the keys of which nothing may run."""
        self.until: Mapping[str, float] = {}
        """By handler of the application: until when something of it was paused, in seconds since the epoch; infinite if
        it still is."""

    def look(self) -> None:
        """Read them, if that was not done for a while. Raises `DatabaseAway`."""
        if self._timer() - self._looked >= LOOK_EVERY:
            with self._database.reading() as db:
                self.read(db)

    def look_in(self, db: Connection) -> PausedParts | None:
        """The same in a transaction that is there; returns what is paused."""
        if self._timer() - self._looked >= LOOK_EVERY:
            self.read(db)
        return self.now

    def read(self, db: Connection) -> None:
        """Read them."""
        self._looked = self._timer()
        found = pauses.read(db, self._group.app)
        self.until = paused_until(self._group.application, found)
        names = list(self._group.by_name)
        self.now = now = _parts(self._group, [one for one in found if one.holds])
        self.left = NO_KEYS if now is None else now.keys
        self.running = names if now is None else [name for name in names if name not in now.handlers]


def _concerned(group: Group, one: Pause) -> list[str]:
    """The group's handlers of which something is paused."""
    its_group, its_handler, _ = one.scope
    if its_group:
        return [handler.name for handler in group.handlers] if its_group == group.name else []
    return [handler.name for handler in group.handlers if its_handler in ("", handler.name)]


def _parts(group: Group, held: Iterable[Pause]) -> PausedParts | None:
    concerned = [(one, names) for one in held if (names := _concerned(group, one))]
    if not concerned:
        return None
    keys: dict[str, set[str]] = {}
    handlers: set[str] = set()
    for one, names in concerned:
        if not one.scope.key:
            handlers.update(names)
            continue
        for name in names:
            keys.setdefault(name, set()).add(one.scope.key)
    return PausedParts(
        is_whole=any(one.scope.group and not one.scope.key for one, _ in concerned),
        handlers=frozenset(handlers),
        keys={name: frozenset(found) for name, found in keys.items()},
        said=tuple(str(one.scope) for one, _ in concerned),
    )


def paused_until(application: Application, found: Iterable[Pause]) -> dict[str, float]:
    """By handler of an application: until when something of it was paused; infinite if it still is."""
    until: dict[str, float] = {}
    for one in found:
        ended = math.inf if one.resumed_at is None else one.resumed_at
        for other in application.groups.values():
            for name in _concerned(other, one):
                until[name] = max(ended, until.get(name, ended))
    return until
