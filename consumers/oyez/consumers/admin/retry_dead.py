"""Retrying dead deliveries: they go back into the retry table, where they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import delivery_filter, delivery_moves, notices, passing, prerequisites
from ..database.clock import Clock
from ..database.delivery_filter import Filter
from ..database.free_heads import busy_keys
from ..database.key_heads import HandlerKey
from ..database.tables import dead
from ..handlers.application import Application
from .bulk import Step, Tally, busy, in_order


class Retry:
    """Puts dead deliveries back at their old places, with no attempts made. Those of unregistered handlers stay dead.

    While somebody runs a key, nothing is put before what runs; and then nothing of that key in later steps either,
    or it would be handled out of order.
    """

    table = dead

    def __init__(self, application: Application, clock: Clock) -> None:
        self._app = application.name
        self._groups = {handler.name: handler.group for handler in application.handlers}
        self._clock = clock
        self._held: set[HandlerKey] = set()

    def begin(self) -> None:
        """Keys that were held back are tried again."""
        self._held.clear()

    def step(self, db: Connection, ids: Sequence[int], wanted: Filter) -> Step:
        """Lock the prerequisites, then the rows; move those of keys that nobody runs."""
        now = self._clock(db)
        found = delivery_filter.read(db, dead, ids, wanted, "wait_signal", "wait_subject")
        prerequisites.lock(
            db, self._app, {Prerequisite(*row) for row in found if row.wait_signal is not None}, now
        )
        locked = delivery_filter.lock(db, dead, ids, wanted)
        letters = [row for row in locked if row.handler in self._groups]
        self._held |= busy_keys(db, self._app, {key for row in letters if (key := _key(row))})
        free = [row for row in letters if _key(row) not in self._held]
        rows = delivery_moves.put_back(db, free, now)
        delivery_moves.discard(db, dead, [row.id for row in free])
        passing.place(db, self._app, rows, now)
        notices.notify(db, {self._groups[row.handler] for row in free})
        left = [row.id for row in letters if _key(row) in self._held]
        left += busy(db, dead, ids, [row.id for row in locked], wanted)
        return Step(Tally(done=len(free), unregistered=len(locked) - len(letters)), in_order(left, ids))


def _key(row: Any) -> HandlerKey | None:
    return (row.handler, row.key) if row.ordered else None
