"""Discarding shares: they are deleted, and will never be handled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Table

from ..application import Application
from ..database import choosing, moving, notices, pairs, parked, tables
from ..database.choosing import Filter
from .completing import Completing
from .steps import Step, Tally, busy

COLUMNS = ("id", "group_name", "handler", "signal", "source", "event_id", "key", "subject", "ordered")


class Discard:
    """Deletes shares. What is behind them in their key goes on; if they were all that the pair of their event waited
    for, it is met."""

    def __init__(self, application: Application, table: Table, clock: Callable[[], float]) -> None:
        self.table = table
        self._app = application.name
        self._completing = Completing(application)
        self._clock = clock

    def begin(self) -> None:
        """Nothing is remembered from one step to the next."""

    def step(self, db: Connection, ids: Sequence[int], wanted: Filter) -> Step:
        """Lock the pairs, then the rows; delete; complete and release."""
        now = self._clock()
        found = choosing.read(db, self.table, ids, wanted, "handler", "signal", "subject")
        asked = {pair for row in found if (pair := self._completing.pair(row)) is not None}
        met = pairs.lock(db, self._app, asked, now)
        rows = choosing.lock(db, self.table, ids, wanted, *COLUMNS)
        moving.discard(db, self.table, [row.id for row in rows])
        completed, released = self._completing.complete(db, rows, met, now)
        freed = [row for row in rows if self.table is tables.parked and row.ordered]
        parked.promote(db, self._app, {(row.handler, row.key) for row in freed}, now)
        notices.notify(db, {*released, *(row.group_name for row in freed)})
        tally = Tally(done=len(rows), released=len(released), met=sorted(completed))
        return Step(tally, busy(db, self.table, ids, [row.id for row in rows], wanted))
