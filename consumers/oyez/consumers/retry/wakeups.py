"""When does a worker look at the retry table? At once when rows are released, on time when one is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ..database import claims, outbox
from ..database.clock import Clock
from ..database.engine import Database
from ..database.notices import Notices
from ..handlers.application import Group

LOOK_EVERY = 0.05  # s


class Wakeups(Protocol):
    """Says when parked rows of a group may have become due."""

    def due(self) -> bool:
        """Whether to look at the retry table now. Never blocks; may raise `DatabaseAway`."""

    def announced(self) -> bool:
        """Whether there may be something in the outbox, as far as `due` has seen since this was last asked."""

    def close(self) -> None: ...


class Looking:
    """Asks for the next due row, and for the outbox, at most every 50 ms; for databases that cannot notify."""

    def __init__(
        self, database: Database, group: Group, clock: Clock, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._group = group
        self._clock = clock
        self._timer = timer
        self._looked = float("-inf")
        self._outbox = False

    def due(self) -> bool:
        at = self._timer()
        if at - self._looked < LOOK_EVERY:
            return False
        self._looked = at
        with self._database.reading() as db:
            due = claims.next_due(db, self._group.name, list(self._group.by_name))
            self._outbox = outbox.has_any(db)
            return due is not None and due <= self._clock(db)

    def announced(self) -> bool:
        announced, self._outbox = self._outbox, False
        return announced

    def close(self) -> None:
        """Nothing is held between looks."""


class Notified:
    """Hears what the database notifies. The worker itself knows when the next row is due by time."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def due(self) -> bool:
        return self._notices.heard()

    def announced(self) -> bool:
        return self._notices.announced()

    def close(self) -> None:
        self._notices.close()


def wakeups(
    database: Database, group: Group, clock: Clock, timer: Callable[[], float] = time.monotonic
) -> Wakeups:
    """What the database offers."""
    notifier = database.dialect.notifier
    if notifier is None:
        return Looking(database, group, clock, timer)
    return Notified(Notices(database, notifier, group.name))
