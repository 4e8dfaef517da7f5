"""Once a minute it is written down how the group stands, so that it can be seen later how it went."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from ..database import samples
from ..database.engine import Database
from ..database.samples import MINUTE, Share
from ..handlers.application import Group
from ..worker.totals import Tally

IDLE = 10.0  # s; after which it is looked whether a new minute has begun


class Counted:
    """What a worker has done since it was written down last. In the worker's own thread only."""

    def __init__(self, tally: Tally, lag: Callable[[], int | None]) -> None:
        """``tally`` is what it has done since it began; ``lag`` says how many records are left of its partitions, None
        if that is not known."""
        self._tally = tally
        self._lag = lag
        self._handled = self._failed = 0

    @property
    def share(self) -> Share:
        """What was done since the last one was taken."""
        return Share(self._tally.done - self._handled, self._tally.failed - self._failed, self._lag())

    def taken(self, share: Share) -> None:
        """It is written down."""
        self._handled += share.handled
        self._failed += share.failed


class Sampling:
    """Writes the group's sample of each minute, or adds to it where another worker of the group has: so one counts what
    is parked and dead, and one that has nothing to add only looks."""

    idle = IDLE

    def __init__(self, group: Group, counted: Counted) -> None:
        self._group = group
        self._counted = counted
        self._minute = 0

    def step(self, database: Database, now: float) -> bool:
        """Write it if a minute has begun since the last one; there is never more to do."""
        minute = int(now // MINUTE)
        if minute == self._minute:
            return False
        self._write(database, minute, now, self._counted.share)
        self._minute = minute
        return False

    def finish(self, database: Database, now: float) -> None:
        """Write what was counted since: a pass may take less than a minute."""
        minute, share = int(now // MINUTE), self._counted.share
        if minute == self._minute:
            share = share._replace(lag=None)  # it was added already
        if not share.is_empty:
            self._write(database, minute, now, share)

    def _write(self, database: Database, minute: int, now: float, share: Share) -> None:
        with database.reading() as db:
            is_there = samples.is_there(db, self._group.name, minute)
        if not is_there:
            database.repeat(lambda db: self._put(db, minute, share, now))
        elif not share.is_empty:
            database.repeat(lambda db: samples.add(db, self._group.name, minute, share))
        self._counted.taken(share)

    def _put(self, db: Connection, minute: int, share: Share, now: float) -> None:
        samples.put(db, self._group.app, self._group.name, list(self._group.by_name), minute, share, now)
