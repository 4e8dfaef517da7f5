"""What a lane takes: rows that were noted as about to be run, in a transaction before this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from ..core.outcomes import DONE, EXPIRED
from ..database import lane_claims, start_notes
from ..database.parked_row import ParkedRow
from ..execution.intake import Kept, Load
from ..execution.reader import Reader, Taken
from ..execution.readiness import Known, MetPrerequisites
from ..handlers.application import Group
from ..retry.claim import Claim
from .unit import Unit

ENDED = (DONE, EXPIRED)  # after these, those of their key that follow are run in the same unit
SLOW = 0.2
"""Seconds after which a transaction, when it ends, says again that what is left of its unit is about to be run: so many
of the rows of a unit may follow one another before its note looks as if it was left by a dead worker."""


class LaneClaim(Claim):
    """Rows that one lane runs in one transaction. What another one has taken meanwhile is left to it."""

    def __init__(
        self,
        group: Group,
        reader: Reader,
        unit: Unit,
        ids: Sequence[int],
        begin: Callable[[], None],
        spent: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``ids`` are those of the unit; ``begin`` is called when all is known that is to be known before they are run,
        and ``spent`` says how many seconds ago that was."""
        super().__init__(group, reader, len(ids))
        self._unit = unit
        self._ids = ids
        self._begin = begin
        self._spent = spent
        self._is_begun = False
        self._was_undone = False

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """As of any claim; their time begins."""
        found = super().known(db, load, met)
        self._begin()
        return found

    def finish(self, db: Connection, kept: Kept, now: float) -> int:
        """The note goes with the transaction that ends the unit: rows that stay parked are not to look as if their
        worker had died. Where others of the unit follow, it looks new when it is let go of."""
        done, number = sum(outcome in ENDED for _, outcome in kept.results), self._unit.number
        if kept.results and (self._was_undone or done < len(self._ids)):
            start_notes.forget(db, number)
            if self._was_undone and len(self._unit.ids) > 1:
                start_notes.take_back(db, self._unit.ids)
        elif self._ids[-1] != self._unit.ids[-1] and self._spent() >= SLOW:
            start_notes.refresh(db, [number], now + self._spent())
        return super().finish(db, kept, now)

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        if self._is_begun:
            start_notes.hold(db, self._unit.number)
            return self._again(db, now)
        found = self._noted(db, now)
        self._is_begun = bool(found)
        return found

    def _noted(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        return lane_claims.claim_noted(
            db, group.app, group.name, list(group.by_name), self._unit.number, self._ids, now
        )

    def _again(self, db: Connection, now: float) -> list[ParkedRow]:
        """What was claimed before, in a transaction that was undone. Its note may have been old by then, and somebody
        have counted it: that is taken back at the end."""
        self._was_undone = True
        group = self._group
        return lane_claims.claim_undone(db, group.app, group.name, list(group.by_name), self._ids, now)


class HandedClaim(LaneClaim):
    """The same for rows that this worker has just parked: of these only that is read which may have changed."""

    def __init__(self, group: Group, reader: Reader, unit: Unit, *given: Any) -> None:
        super().__init__(group, reader, unit, *given)
        self._fresh = unit.fresh

    def _noted(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        found = lane_claims.claim_handed(
            db, group.app, group.name, list(group.by_name), self._unit.number, self._ids, now
        )
        return [self._fresh[one.id].row(one) for one in found]

    def _read(self, row: ParkedRow) -> Taken:
        return self._fresh[row.id].delivery.taken


class AbandonedClaim(LaneClaim):
    """Rows that another lane had claimed, which was given up."""

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        return self._again(db, now)
