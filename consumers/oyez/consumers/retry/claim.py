"""A claim: what a transaction takes from the retry table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from oyez.schemas import Undecodable

from ..core.deadline import Deadline
from ..database import claims, dead_letters, parked, start_notes
from ..database.claims import ParkedRow
from ..execution.ask_met_by import answered
from ..execution.delivery import UNRUN, Delivery, Result
from ..execution.plan import Work
from ..execution.reader import Reader, Taken
from ..execution.readiness import MetPrerequisites, Readiness, ask
from ..handlers.application import Group


class Claim:
    """Parked rows that are due. Taking them locks them until the transaction ends."""

    def __init__(self, group: Group, reader: Reader, limit: int) -> None:
        self._group = group
        self._reader = reader
        self._limit = limit
        self.taken = 0
        self.delays: list[float] = []
        """For how many seconds the rows had been due that are due by themselves."""
        self._lost = 0

    def take(self, db: Connection, now: float) -> list[Work]:
        """Claim; only a key's head and the rows behind it, in order."""
        return self._works(db, self._claimed(db, now), now)

    def _claimed(self, db: Connection, now: float) -> list[ParkedRow]:
        rows = self._found(db, now)
        self.taken = len(rows)
        self.delays = [now - row.due_at for row in rows if row.due_at is not None and row.due_at <= now]
        return before_later(rows, now)

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        return claims.claim(db, group.app, group.name, list(group.by_name), now, self._limit)

    def _works(self, db: Connection, rows: Sequence[ParkedRow], now: float) -> list[Work]:
        works: list[Work] = []
        lost: list[tuple[ParkedRow, str]] = []
        for at, row in enumerate(rows):
            try:
                taken = self._read(row)
            except Undecodable as error:
                lost.append((row, error.reason))
            else:
                works.append((taken, [Delivery(self._group.by_name[row.handler], taken, at, row)]))
        self._bury(db, lost, now)
        return works

    def readiness(self, db: Connection, works: list[Work], met: MetPrerequisites) -> Readiness:
        """Each row is checked from the start. There are no heads: whoever holds the head of a key holds the key."""
        readiness = Readiness(met, {})
        unmet = ask(db, self._group.app, works, met)
        for prerequisite in answered(db, self._group, works, unmet):
            readiness.complete(prerequisite, -1)
        if unmet:
            self._find_last(
                db,
                [
                    delivery
                    for _, deliveries in works
                    for delivery in deliveries
                    if delivery.prerequisite in unmet
                ],
            )
        return readiness

    def _find_last(self, db: Connection, needed: Sequence[Delivery]) -> None:
        """Others of this claim wait for these deliveries' events: a long chain is not to take a transaction a link."""
        completing = self._group.completing
        names = {name for delivery in needed for name in completing[delivery.taken.declaration.name]}
        ours = [delivery for delivery in needed if delivery.handler.name in names]
        last = dead_letters.last(
            db, self._group.app, [delivery.taken.event_id for delivery in ours], sorted(names)
        )
        for delivery in ours:
            delivery.is_last = delivery.taken.event_id in last

    def accept(self, db: Connection, results: list[Result], deadline: Deadline) -> list[Result]:
        """What there was no time for stays as it is."""
        return [result for result in results if result[1] is not UNRUN] if deadline.is_over() else results

    def _read(self, row: ParkedRow) -> Taken:
        taken = self._reader.read(row)
        if taken is None:
            raise Undecodable(f"it is no {self._group.by_name[row.handler].declaration.name} any more")
        return taken

    def finish(self, db: Connection, now: float) -> int:
        """What could not be decoded was buried before the rest was run; returns how many."""
        return self._lost

    def _bury(self, db: Connection, rows: Sequence[tuple[ParkedRow, str]], now: float) -> None:
        self._lost = len(rows)
        dead_letters.bury(
            db,
            [dead_letters.letter(row, self._group.app, "undecodable", reason, now) for row, reason in rows],
        )
        parked.remove(db, [row.id for row, _ in rows])


class NotedClaim(Claim):
    """Rows that were noted as about to be run, in a transaction before this one."""

    def __init__(self, group: Group, reader: Reader, number: int, ids: Sequence[int]) -> None:
        super().__init__(group, reader, len(ids))
        self._number = number
        self._ids = ids

    def take(self, db: Connection, now: float) -> list[Work]:
        """Claim those that are still due."""
        start_notes.hold(db, self._number)
        return super().take(db, now)

    def finish(self, db: Connection, now: float) -> int:
        """The note is done with."""
        start_notes.forget(db, self._number)
        return super().finish(db, now)

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        return claims.claim_again(db, group.app, group.name, list(group.by_name), self._ids, now)


def before_later(rows: Sequence[ParkedRow], now: float) -> list[ParkedRow]:
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
