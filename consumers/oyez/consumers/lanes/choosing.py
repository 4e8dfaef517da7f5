"""Choosing what lanes are to run: what is due of one handler, noted as about to be run."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sqlalchemy import Connection

from ..core.apart import ProcessKind
from ..database import due_queues, lane_claims, rates, start_notes, stranded
from ..database.clock import Clock
from ..database.engine import Database
from ..database.key_heads import HandlerKey
from ..database.lane_claims import Wanted
from ..database.parked_row import Candidate
from ..execution.pauses import Pauses
from ..handlers.application import Group
from ..handlers.registry import Handler
from ..retry.claim import before_later
from ..retry.retrying import ALONE, LOOK
from .handed import Handed
from .unit import NO_LIMIT, Busy, Room, Unit, deal, has_failed, has_suspected, key_of

ROUNDS = 5  # looks behind keys that have all that they may have at once
EVERY = 0.5  # s; how often it is looked for what is due, while only what was handed was found
BURST = 1.0  # s; for how long a rate may be saved up


class Chosen(NamedTuple):
    """What is to be run; ``has_suspected``: whether rows are due as well on which workers have died; ``again_in``: the
    seconds until the handler's rate allows more, if it does not now."""

    units: Sequence[Unit]
    has_suspected: bool = False
    again_in: float | None = None


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
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """``pauses`` are read whenever something is looked for."""
        self.handed = Handed()
        """What this worker has just parked for the handler."""
        self._timer = timer
        self._looks_at = float("-inf")  # by the timer: from when on it is looked for more than was handed
        self._pauses = pauses
        self._group = group
        self._handler = handler
        self._rate = handler.limit.rate or math.inf
        self._database = database
        self._clock = clock
        self._process = process

    def choose(self, busy: Busy, room: Room, left: Iterable[int] = ()) -> Chosen:
        """Units to be run, as there is room for them beside what is ``busy``. Should this worker die on one of them, it
        will be known. Forgets the notes ``left`` by units that have ended. Raises `DatabaseAway`.

        What was handed is run without being looked for, as long as the last look has found nothing else.
        """

        def work(db: Connection) -> Chosen:
            now = self._clock(db)
            self._forget(db, left)
            tokens = self._tokens(db, now)
            if tokens < 1.0:
                return Chosen((), again_in=(1.0 - tokens) / self._rate)
            given = room._replace(most=int(min(room.most, tokens)))
            rows = self._handed(db, given, busy)
            if rows is None or not (rows or busy.ids):
                rows = self._look(db, now, given, busy)
            dealt = deal(rows, busy, given)
            self._spend(db, tokens, sum(map(len, dealt)), now)
            return Chosen(self._noted(db, dealt, room.size, now, is_shared=True), has_suspected(rows))

        chosen = self._database.repeat(work)
        return chosen._replace(
            units=[unit._replace(fresh=self.handed.take(unit.ids)) for unit in chosen.units]
        )

    def look_next(self) -> None:
        """Something may be due that was not handed."""
        self._looks_at = float("-inf")

    def choose_suspected(self) -> Unit | None:
        """A row on which workers have died, to be run with nothing beside it in this worker."""

        def work(db: Connection) -> Unit | None:
            now = self._clock(db)
            self._pauses.read(db)
            rows = [
                row
                for name in self._running()
                for row in lane_claims.claim_suspected(
                    db, self._group.name, name, now, ALONE, self._pauses.left
                )
            ]
            if not rows:
                return None
            self._spend(db, self._tokens(db, now), 1, now)
            self._process.require_own("workers died on what is parked, and it is run alone")
            (unit,) = self._noted(db, [rows[:1]], 1, now, is_shared=self._process.is_shared)
            return unit

        return self._database.repeat(work)

    def refresh(self, numbers: Sequence[int]) -> None:
        """What these notes name is still about to be run."""
        if numbers:
            self._database.repeat(lambda db: start_notes.refresh(db, numbers, self._clock(db)))

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

    def _tokens(self, db: Connection, now: float) -> float:
        """How many rows the handler's rate allows now; any number without one."""
        if self._handler.limit.rate is None:
            return NO_LIMIT
        most = max(1.0, self._rate * BURST)
        return rates.tokens(db, self._group.app, self._group.name, self._handler.name, self._rate, most, now)

    def _spend(self, db: Connection, tokens: float, count: int, now: float) -> None:
        """So many of these tokens are gone."""
        if self._handler.limit.rate is not None and count:
            rates.put(db, self._group.app, self._handler.name, tokens - count, now)

    def _forget(self, db: Connection, left: Iterable[int]) -> None:
        start_notes.forget_all(db, list(left))

    def _handed(self, db: Connection, room: Room, busy: Busy) -> Sequence[Candidate] | None:
        """What was handed and is not busy; None if nothing waits, or if it is time to look for what else is due."""
        if self._timer() >= self._looks_at or not self.handed.has_waiting:
            return None
        self._pauses.look_in(db)
        left = self._pauses.left
        return [
            row
            for name in self._running()
            for row in self.handed.waiting(busy, room.wanted.rows, left.get(name, frozenset()))
        ]

    def _look(self, db: Connection, now: float, room: Room, busy: Busy) -> Sequence[Candidate]:
        """What is due and not busy. Rows may have been put behind a head that a lane was about to delete: those are
        found first."""
        self._database.dialect.read_by_index(db)
        stranded.look(db, self._group.app, self._group.name, now, 0, LOOK)
        rows = self._due(db, now, room, busy)
        if self.handed.covers(row.id for row in rows):
            self._looks_at = self._timer() + EVERY
        return rows

    def _due(self, db: Connection, now: float, room: Room, busy: Busy) -> Sequence[Candidate]:
        """What is due and not busy. Where a key has all that it may have at once, others are looked for behind it."""
        self._pauses.read(db)
        found: list[Candidate] = []
        counts, full = Counter(busy.counts), _full(busy.counts, room.per_key)
        for _ in range(ROUNDS):
            some = self._due_without(db, now, room.wanted, busy.ids | {row.id for row in found}, full)
            found += some
            counts.update(_loose(some))
            newly = _full(counts, room.per_key) - full
            if not newly or len(some) < room.wanted.heads:
                break
            full |= newly
        return before_later(found, now)

    def _due_without(
        self, db: Connection, now: float, wanted: Wanted, busy: AbstractSet[int], full: AbstractSet[str]
    ) -> list[Candidate]:
        group, left = self._group, self._pauses.left
        return [
            row
            for name in self._running()
            for row in lane_claims.claim_beside(
                *(db, group.app, group.name, name, now, wanted, busy),
                {**left, name: left.get(name, frozenset()) | full} if full else left,
            )
        ]

    def _running(self) -> list[str]:
        """The handler's name, unless it is paused."""
        return [name for name in [self._handler.name] if name in self._pauses.running]

    def _noted(
        self, db: Connection, dealt: Sequence[Sequence[Candidate]], size: int, now: float, *, is_shared: bool
    ) -> list[Unit]:
        ids = [tuple(row.id for row in rows) for rows in dealt]
        numbers = start_notes.note_each(db, self._group.name, ids, now, is_shared=is_shared)
        return [
            Unit(number, given, size, _keys(rows), rows[0].starts, has_failed(rows[0]), _loose(rows))
            for number, given, rows in zip(numbers, ids, dealt, strict=True)
        ]


def _full(counts: Mapping[str, int], most: int) -> AbstractSet[str]:
    """The keys of which so many rows run."""
    return {key for key, count in counts.items() if count >= most}


def _loose(rows: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(row.key_text for row in rows if row.key_text is not None and not row.ordered)


def _keys(rows: Iterable[Candidate]) -> frozenset[HandlerKey]:
    return frozenset(filter(None, map(key_of, rows)))
