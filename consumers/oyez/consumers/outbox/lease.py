"""Who relays the outbox at the moment. Nothing is wrong if two do: it is only more than enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ..database import outbox
from ..database.engine import Database

LEASE = 5.0  # s; for how long the others wait for one who relayed and has died


class Lease(Protocol):
    """Sees to it that mostly one relays at a time. Nothing is wrong if two do, it is only more than enough."""

    def take(self) -> bool:
        """Take it, or keep it for longer; False if somebody else has it."""

    def release(self) -> None: ...


class RowLease:
    """One row of the database, which runs out by itself when its holder has died."""

    def __init__(self, database: Database, owner: str, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._owner = owner
        self._clock = clock
        self._taken = float("-inf")

    def take(self) -> bool:
        now = self._clock()
        if 0 <= now - self._taken < LEASE / 5:
            return True
        with self._database.reading() as db:
            if outbox.is_taken(db, self._owner, now, now + LEASE):
                return False  # without writing: many look, again and again
        taken = self._database.repeat(lambda db: outbox.take(db, self._owner, now, now + LEASE))
        self._taken = now if taken else float("-inf")
        return taken

    def release(self) -> None:
        self._taken = float("-inf")
        self._database.repeat(lambda db: outbox.release(db, self._owner))


class NoLease:
    """For those who must not wait for somebody else."""

    def take(self) -> bool:
        return True

    def release(self) -> None:
        """There is nothing to give back."""
