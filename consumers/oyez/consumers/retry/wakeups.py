"""When does a worker look at the retry table? At once when rows are released, on time when one is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from oyez.producers.loggers import logger_named

from ..database import due_queues, outbox
from ..database.clock import Clock
from ..database.engine import Database, DatabaseAway
from ..database.notices import Notices
from ..execution.pauses import Pauses
from ..handlers.application import Group

log = logger_named("oyez.worker")

LOOK_EVERY = 0.05  # s; where the database cannot notify
WHILE_DEAF = 0.5  # s; where it could, if there were a connection to hear it
LISTEN_AGAIN = 10.0  # s; until that is tried again


class Wakeups(Protocol):
    """Says when parked rows of a group may have become due."""

    def due(self) -> bool:
        """Whether to look at the retry table now. Never blocks; may raise `DatabaseAway`."""

    def announced(self) -> bool:
        """Whether there may be something in the outbox, as far as `due` has seen since this was last asked."""

    def close(self) -> None: ...


class Looking:
    """Asks for the next due row, and for the outbox, every so many seconds."""

    def __init__(
        self,
        database: Database,
        group: Group,
        clock: Clock,
        pauses: Pauses,
        timer: Callable[[], float] = time.monotonic,
        every: float = LOOK_EVERY,
    ) -> None:
        self._pauses = pauses
        self._every = every
        self._database = database
        self._group = group
        self._clock = clock
        self._timer = timer
        self._looked = float("-inf")
        self._outbox = False
        self._scheduled: float | None = None

    def due(self) -> bool:
        return self.is_time() and self.look() is True

    def is_time(self) -> bool:
        """Whether the last look was so long ago."""
        return self._timer() - self._looked >= self._every

    def look(self) -> bool | None:
        """Whether a row is due; None if there is none that ever will be, as far as is known now."""
        self._looked = self._timer()
        with self._database.reading() as db:
            due = due_queues.next_due(db, self._group.name, self._pauses.running, self._pauses.left)
            found = outbox.look(db)
            # What is scheduled wakes whoever releases it once: that one knows from then on when it is due.
            self._outbox = found.waits or found.next_due != self._scheduled
            self._scheduled = found.next_due
            return None if due is None else due <= self._clock(db)

    def announced(self) -> bool:
        announced, self._outbox = self._outbox, False
        return announced

    def close(self) -> None:
        """Nothing is held between looks."""


class Stirred:
    """Looks when something was written, by whomever, and as long as a row is there that will be due."""

    def __init__(self, notices: Notices, group: str, looking: Looking) -> None:
        self._notices = notices
        self._group = group
        self._looking = looking
        self._has_reason = True

    def due(self) -> bool:
        if not self._looking.is_time():
            return False  # what is written meanwhile is heard then
        try:
            self._has_reason = self._notices.heard(self._group) or self._has_reason
        except DatabaseAway:
            self._has_reason = True  # looking finds out whether it is
        if not self._has_reason:
            return False
        found = self._looking.look()
        self._has_reason = found is not None
        return found is True

    def announced(self) -> bool:
        return self._looking.announced()

    def close(self) -> None:
        self._notices.leave(self._group)


class Notified:
    """Hears what the database notifies; the worker itself knows when the next row is due by time. As long as there is
    no connection for that, it looks: one connection is enough to get on."""

    def __init__(self, notices: Notices, group: str, looking: Looking, timer: Callable[[], float]) -> None:
        self._notices = notices
        self._group = group
        self._looking = looking
        self._timer = timer
        self._deaf_until = float("-inf")

    def due(self) -> bool:
        if self._timer() < self._deaf_until:
            return self._looking.due()
        try:
            return self._notices.heard(self._group)
        except DatabaseAway as error:
            if self._deaf_until < 0:
                log.info("%s: looks every %.1f s for what is released: %s", self._group, WHILE_DEAF, error)
            self._deaf_until = self._timer() + LISTEN_AGAIN
        return self._looking.due()

    def announced(self) -> bool:
        heard, seen = self._notices.announced(self._group), self._looking.announced()
        return heard or seen

    def close(self) -> None:
        self._notices.leave(self._group)


def wakeups(
    database: Database,
    group: Group,
    clock: Clock,
    timer: Callable[[], float] = time.monotonic,
    *,
    pauses: Pauses,
    notices: Notices | None,
) -> Wakeups:
    """What the database offers; ``notices`` is None where it has none, or no connection to spare for them."""
    notifier = database.dialect.notifier
    if notifier is None or not notifier.tells_what:
        looking = Looking(database, group, clock, pauses, timer)
        return looking if notices is None else Stirred(notices, group.name, looking)
    looking = Looking(database, group, clock, pauses, timer, WHILE_DEAF)
    return looking if notices is None else Notified(notices, group.name, looking, timer)


def notices_of(database: Database) -> Notices | None:
    """What is heard over this database's connections; None where it notifies nobody."""
    notifier = database.dialect.notifier
    return None if notifier is None else Notices(database, notifier)
