"""Discarding deliveries: they are deleted, and will never be handled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from oyez.schemas.declaration import Prerequisite

from ..database import behind, delivery_filter, delivery_moves, notices, prerequisites, tables
from ..database.clock import Clock
from ..database.delivery_filter import Filter
from ..database.delivery_row import waits_of
from ..handlers.application import Application
from .bulk import Step, Tally, busy
from .completion import Completing

COLUMNS = ("id", "group_name", "handler", "signal", "source", "event_id", "key", "subject", "ordered")
ASKED = ("handler", "signal", "subject", "wait_signal", "wait_subject")


class Discard:
    """Deletes deliveries. What is behind them in their key goes on, with the next sweep if the head ends at this very
    moment; if they were all that the prerequisite of their event waited for, it is met."""

    def __init__(self, application: Application, table: Table, clock: Clock) -> None:
        self.table = table
        self._app = application.name
        self._completing = Completing(application)
        self._clock = clock

    def begin(self) -> None:
        """Nothing is remembered from one step to the next."""

    def step(self, db: Connection, ids: Sequence[int], wanted: Filter) -> Step:
        """Lock the prerequisites, then the rows; delete; complete and release."""
        now = self._clock(db)
        asked = self._asked(delivery_filter.read(db, self.table, ids, wanted, *ASKED))
        met = prerequisites.lock(db, self._app, asked, now)
        rows = delivery_filter.lock(db, self.table, ids, wanted, *COLUMNS)
        delivery_moves.discard(db, self.table, [row.id for row in rows])
        completed, meeting = self._completing.complete(db, rows, met, now)
        freed = [row for row in rows if self.table is tables.parked and row.ordered]
        behind.note_keys(db, [(row.group_name, row.handler, row.key) for row in freed])
        behind.promote(db, self._app, {(row.handler, row.key) for row in freed}, now)
        notices.notify(db, {*meeting.released, *meeting.revived, *(row.group_name for row in freed)})
        tally = Tally(
            done=len(rows),
            released=len(meeting.released),
            revived=len(meeting.revived),
            may_be_more=meeting.may_be_more,
            met=sorted(completed),
        )
        return Step(tally, busy(db, self.table, ids, [row.id for row in rows], wanted))

    def _asked(self, rows: Iterable[Any]) -> set[Prerequisite]:
        """The prerequisites that these deliveries may complete, and those that they wait for or have died of:
        whoever meets one of these releases or revives the delivery."""
        asked: set[Prerequisite] = set()
        for row in rows:
            if (prerequisite := self._completing.prerequisite(row)) is not None:
                asked.add(prerequisite)
            if (awaited := waits_of(row)) is not None:
                asked.add(awaited)
        return asked
