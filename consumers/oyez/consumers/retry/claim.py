"""A claim: what a transaction takes from the retry table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from oyez.schemas import Undecodable

from ..core.deadline import Deadline
from ..core.outcomes import UNRUN
from ..database import behind, claims, dead_letters, due_queues, parked, start_notes
from ..database.due import due_since
from ..database.inbox import EventId
from ..database.parked_row import ParkedRow, Placed
from ..execution.ask_met_by import answered
from ..execution.delivery import Delivery, Result, Work
from ..execution.intake import Kept, Load
from ..execution.pauses import Pauses
from ..execution.reader import Reader, Taken
from ..execution.readiness import Known, MetPrerequisites, ask
from ..handlers.application import Group


class Claim:
    """Parked rows that are due. Taking them locks them until the transaction ends."""

    def __init__(self, group: Group, reader: Reader, limit: int, pauses: Pauses | None = None) -> None:
        """``pauses`` say what is not claimed; None: whoever chooses the rows has asked them, or is not to."""
        self._pauses = pauses
        self._group = group
        self._reader = reader
        self._limit = limit

    def take(self, db: Connection, now: float) -> Load:
        """Claim; only a key's head and the rows behind it, in order."""
        rows = self._found(db, now)
        delays = [now - due_since(at) for row in rows if (at := row.due_at) is not None and at <= now]
        return self._load(db, rows, before_later(rows, now), delays, now)

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        return claims.claim(db, group.app, group.name, self._handlers(), now, self._limit, self._left())

    def _handlers(self) -> list[str]:
        group, pauses = self._group, self._pauses
        names = group.by_name if pauses is None else pauses.running
        return [name for name in names if group.by_name[name] not in group.awaited]

    def _left(self) -> due_queues.Keys:
        return due_queues.NO_KEYS if self._pauses is None else self._pauses.left

    def _load(
        self,
        db: Connection,
        found: Sequence[ParkedRow],
        rows: Sequence[ParkedRow],
        delays: Sequence[float],
        now: float,
    ) -> Load:
        """What can be decoded of the rows to be run; the others are given up."""
        works: list[Work] = []
        lost: list[tuple[ParkedRow, str]] = []
        for at, row in enumerate(rows):
            try:
                taken = self._read(row)
            except Undecodable as error:
                lost.append((row, error.reason))
            else:
                works.append((taken, [Delivery.of(self._group.by_name[row.handler], taken, at, row)]))
        self._bury(db, lost, now)
        return Load(works, [row.id for row in found], delays, len(lost))

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """Each row is checked from the start. There are no heads: whoever holds the head of a key holds the key."""
        unmet = ask(db, self._group.app, load.works, met)
        if not unmet:
            return Known(met, last=frozenset())
        found = answered(db, self._group, unmet)
        needed = [one for _, ours in load.works for one in ours if one.prerequisite in unmet]
        return Known(met, answered=found, last=self._last(db, needed))

    def _last(self, db: Connection, needed: Sequence[Delivery]) -> frozenset[tuple[str, EventId]]:
        """Others of this claim wait for these deliveries' events: a long chain is not to take a transaction a link."""
        completing = self._group.completing
        names = {name for one in needed for name in completing[one.taken.declaration.name]}
        ours = [one for one in needed if one.handler.name in names]
        last = dead_letters.last(db, self._group.app, [one.taken.event_id for one in ours], sorted(names))
        return frozenset((one.handler.name, one.taken.event_id) for one in ours if one.taken.event_id in last)

    def keep(self, db: Connection, results: Sequence[Result], deadline: Deadline) -> Kept:
        """What there was no time for stays as it is."""
        if not deadline.is_over():
            return Kept(results)
        return Kept([result for result in results if result[1] is not UNRUN])

    def finish(self, db: Connection, kept: Kept, now: float) -> int:
        """Nothing: what could not be decoded was given up before the rest was run."""
        return 0

    def _read(self, row: ParkedRow) -> Taken:
        taken = self._reader.read(row)
        if taken is None:
            raise Undecodable(f"it is no {self._group.by_name[row.handler].declaration.name} any more")
        return taken

    def _bury(self, db: Connection, rows: Sequence[tuple[ParkedRow, str]], now: float) -> None:
        """What is behind them goes on, whether this claim has it or not: there is no result of them to free it."""
        app = self._group.app
        dead_letters.bury(
            db, [{**row.letter(app, "undecodable", now), "error": why or row.error} for row, why in rows]
        )
        parked.remove(db, [row.id for row, _ in rows])
        freed = {(row.handler, row.key_text) for row, _ in rows if row.ordered and row.key_text is not None}
        behind.promote(db, app, freed, now)


class NotedClaim(Claim):
    """Rows that were noted as about to be run, in a transaction before this one."""

    def __init__(
        self, group: Group, reader: Reader, number: int, ids: Sequence[int], begin: Callable[[], None]
    ) -> None:
        """``begin`` is called when all is known that is to be known before they are run."""
        super().__init__(group, reader, len(ids))
        self._number = number
        self._ids = ids
        self._begin = begin

    def take(self, db: Connection, now: float) -> Load:
        """Claim those that are still due."""
        start_notes.hold(db, self._number)
        return super().take(db, now)

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """As of any claim; their time begins."""
        found = super().known(db, load, met)
        self._begin()
        return found

    def finish(self, db: Connection, kept: Kept, now: float) -> int:
        """The note is done with."""
        start_notes.forget(db, self._number)
        return super().finish(db, kept, now)

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        return claims.claim_again(db, group.app, group.name, list(group.by_name), self._ids, now)


R = TypeVar("R", bound=Placed)


def before_later(rows: Sequence[R], now: float) -> list[R]:
    """Rows of a key end before one that is due only later."""
    later: set[tuple[str, str | None]] = set()
    kept = []
    for row in rows:
        key = (row.handler, row.key_text)
        if row.ordered and (key in later or (row.due_at is not None and row.due_at > now)):
            later.add(key)
        else:
            kept.append(row)
    return kept
