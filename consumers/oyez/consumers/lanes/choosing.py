"""Choosing what lanes are to run: what is due of one handler, noted as about to be run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from ..core.apart import ProcessKind
from ..database import claims, due_queues, start_notes, stranded
from ..database.clock import Clock
from ..database.engine import Database
from ..database.parked_row import Candidate
from ..execution.pauses import Pauses
from ..handlers.application import Group
from ..handlers.registry import Handler
from ..retry.claim import before_later
from ..retry.retrying import LOOK
from .unit import Busy, Room, Unit, deal, is_suspected, key_of


class Chosen(NamedTuple):
    """What is to be run; ``has_suspected``: whether rows are due as well on which workers have died."""

    units: Sequence[Unit]
    has_suspected: bool = False


class Choosing:
    """Chooses for one handler."""

    def __init__(
        self,
        group: Group,
        handler: Handler,
        database: Database,
        clock: Clock,
        process: ProcessKind,
        pauses: Pauses,
    ) -> None:
        """``pauses`` are read whenever something is chosen."""
        self._pauses = pauses
        self._group = group
        self._handler = handler
        self._database = database
        self._clock = clock
        self._process = process

    def choose(self, busy: Busy, room: Room, left: Iterable[int] = ()) -> Chosen:
        """Units to be run, as there is room for them beside what is ``busy``. Should this worker die on one of them, it
        will be known. Forgets the notes ``left`` by units that have ended. Raises `DatabaseAway`.

        Rows may have been put behind a head that a lane was about to delete: those are found first.
        """
        group = self._group

        def work(db: Connection) -> Chosen:
            now = self._clock(db)
            self._forget(db, left)
            self._database.dialect.read_by_index(db)
            stranded.look(db, group.app, group.name, now, 0, LOOK)
            rows = self._due(db, now, room.rows, busy)
            dealt = deal(rows, busy, room)
            return Chosen(
                self._noted(db, dealt, room.size, now, is_shared=True), any(map(is_suspected, rows))
            )

        return self._database.repeat(work)

    def choose_suspected(self) -> Unit | None:
        """A row on which workers have died, to be run with nothing beside it in this worker."""

        def work(db: Connection) -> Unit | None:
            now = self._clock(db)
            rows = [row for row in self._due(db, now, 1, Busy()) if is_suspected(row)]
            if not rows:
                return None
            self._process.require_own("workers died on what is parked, and it is run alone")
            (unit,) = self._noted(db, [rows[:1]], 1, now, is_shared=self._process.is_shared)
            return unit

        return self._database.repeat(work)

    def forget(self, left: Iterable[int]) -> None:
        """Forget these notes, of units that have ended, or have not begun."""
        numbers = list(left)
        if numbers:
            self._database.repeat(lambda db: self._forget(db, numbers))

    def due_in(self) -> float | None:
        """In how many seconds the next row of the handler is due, whether it is busy or not; None if there is none."""
        with self._database.reading() as db:
            at = due_queues.next_due(db, self._group.name, self._running(), self._pauses.left)
            return None if at is None else max(0.0, at - self._clock(db))

    def _forget(self, db: Connection, left: Iterable[int]) -> None:
        start_notes.forget_all(db, list(left))

    def _due(self, db: Connection, now: float, limit: int, busy: Busy) -> Sequence[Candidate]:
        group, pauses = self._group, self._pauses
        pauses.read(db)
        found = [
            row
            for name in self._running()
            for row in claims.claim_beside(db, group.app, group.name, name, now, limit, busy.ids, pauses.left)
        ]
        return before_later(found, now)

    def _running(self) -> list[str]:
        """The handler's name, unless it is paused."""
        return [name for name in [self._handler.name] if name in self._pauses.running]

    def _noted(
        self, db: Connection, dealt: Sequence[Sequence[Candidate]], size: int, now: float, *, is_shared: bool
    ) -> list[Unit]:
        ids = [tuple(row.id for row in rows) for rows in dealt]
        numbers = start_notes.note_each(db, self._group.name, ids, now, is_shared=is_shared)
        return [
            Unit(number, given, size, frozenset(filter(None, map(key_of, rows))), rows[0].starts)
            for number, given, rows in zip(numbers, ids, dealt, strict=True)
        ]
