"""Releasing parked deliveries: they are due now, and the next worker or sweep checks them from the start."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import delivery_filter, delivery_moves, notices, prerequisites
from ..database.clock import Clock
from ..database.delivery_filter import Filter
from ..database.tables import parked
from ..handlers.application import Application
from .bulk import Step, Tally, busy


class Release:
    """Makes deliveries due that wait for a prerequisite or for a time. Those behind an earlier one of their key
    follow it; nobody would run those whose handler is not registered."""

    table = parked

    def __init__(self, application: Application, clock: Clock) -> None:
        self._app = application.name
        self._handlers = {handler.name for handler in application.handlers}
        self._clock = clock

    def begin(self) -> None:
        """Nothing is remembered from one step to the next."""

    def step(self, db: Connection, ids: Sequence[int], wanted: Filter) -> Step:
        """Lock the prerequisites, then the rows; make them due."""
        now = self._clock(db)
        found = delivery_filter.read(db, parked, ids, wanted, "wait_signal", "wait_subject")
        prerequisites.lock(
            db, self._app, {Prerequisite(*row) for row in found if row.wait_signal is not None}, now
        )
        rows = delivery_filter.lock(
            db, parked, ids, wanted, "id", "handler", "group_name", "due_at", "wait_signal"
        )
        known = [row for row in rows if row.handler in self._handlers]
        due = [row for row in known if row.due_at is not None or row.wait_signal is not None]
        delivery_moves.make_due(db, [row.id for row in due], now)
        notices.notify(db, {row.group_name for row in due})
        tally = Tally(done=len(due), behind=len(known) - len(due), unregistered=len(rows) - len(known))
        return Step(tally, busy(db, parked, ids, [row.id for row in rows], wanted))
