"""What a lane takes: rows that were noted as about to be run, in a transaction before this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from ..database import lane_claims
from ..database.parked_row import ParkedRow
from ..execution.fresh import Fresh
from ..execution.intake import Load
from ..execution.reader import Reader, Taken
from ..execution.readiness import Known, MetPrerequisites
from ..handlers.application import Group
from ..retry.claim import Claim


class LaneClaim(Claim):
    """Rows that one lane runs in one transaction. What another one has taken meanwhile is left to it."""

    def __init__(
        self, group: Group, reader: Reader, number: int, ids: Sequence[int], begin: Callable[[], None]
    ) -> None:
        """``number`` is that of their start note; ``begin`` is called when all is known that is to be known before they
        are run."""
        super().__init__(group, reader, len(ids))
        self._number = number
        self._ids = ids
        self._begin = begin

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """As of any claim; their time begins."""
        found = super().known(db, load, met)
        self._begin()
        return found

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        return lane_claims.claim_noted(
            db, group.app, group.name, list(group.by_name), self._number, self._ids, now
        )


class HandedClaim(LaneClaim):
    """The same for rows that this worker has just parked: of these only that is read which may have changed."""

    def __init__(
        self,
        group: Group,
        reader: Reader,
        number: int,
        ids: Sequence[int],
        begin: Callable[[], None],
        fresh: Mapping[int, Fresh],
    ) -> None:
        """``fresh`` has what is known of them."""
        super().__init__(group, reader, number, ids, begin)
        self._fresh = fresh

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        found = lane_claims.claim_handed(
            db, group.app, group.name, list(group.by_name), self._number, self._ids, now
        )
        return [self._fresh[one.id].row(one) for one in found]

    def _read(self, row: ParkedRow) -> Taken:
        return self._fresh[row.id].delivery.taken
