"""Who relays the outbox at the moment. Nothing is wrong if two do: it is only more than enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from ..database import outbox
from ..database.clock import Clock, DatabaseClock, sleep_counting
from ..database.engine import Database

LEASE = 5.0  # s; for how long the others wait for one who relayed and has died


class Lease(Protocol):
    """Sees to it that mostly one relays at a time. Nothing is wrong if two do, it is only more than enough."""

    def take(self) -> bool:
        """Take it, or keep it for longer; False if somebody else has it."""

    def release(self) -> None: ...


class RowLease:
    """One row of the database, which runs out by itself when its holder has died."""

    def __init__(
        self,
        database: Database,
        owner: str,
        clock: Clock | None = None,
        timer: Callable[[], float] = sleep_counting,
    ) -> None:
        """``clock`` is the database's unless given."""
        self._database = database
        self._owner = owner
        self._clock = clock or DatabaseClock()
        self._timer = timer
        self._taken = float("-inf")

    def take(self) -> bool:
        at = self._timer()
        if at - self._taken < LEASE / 5:
            return True
        with self._database.reading() as db:
            now = self._clock(db)
            if outbox.is_taken(db, self._owner, now, now + LEASE):
                return False  # without writing: many look, again and again
        taken = self._database.repeat(self._take)
        self._taken = at if taken else float("-inf")
        return taken

    def _take(self, db: Connection) -> bool:
        now = self._clock(db)
        return outbox.take(db, self._owner, now, now + LEASE)

    def release(self) -> None:
        self._taken = float("-inf")
        self._database.repeat(lambda db: outbox.release(db, self._owner))


class NoLease:
    """For those who must not wait for somebody else."""

    def take(self) -> bool:
        return True

    def release(self) -> None:
        """There is nothing to give back."""
