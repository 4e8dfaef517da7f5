"""Running parked deliveries as if everything that they require were met, and due."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from sqlalchemy import Connection

from ..database import claims, delivery_filter, notices
from ..database.delivery_filter import Filter
from ..database.tables import parked
from ..execution.execution import Execution
from ..execution.intake import Load
from ..execution.reader import Reader
from ..execution.readiness import Known, MetPrerequisites
from ..handlers.application import Group
from ..retry.claim import Claim
from .bulk import Tally
from .pacing import Pacing


class ForcedClaim(Claim):
    """A claim of some deliveries: those that are the heads of their keys, and of the rows behind them the run of those
    that are ``allowed``. Their order is kept; only what they require is taken for met.
    """

    def __init__(
        self, group: Group, reader: Reader, heads: Sequence[int], allowed: AbstractSet[int], size: int
    ) -> None:
        super().__init__(group, reader, size)
        self._heads = heads
        self._allowed = allowed

    def take(self, db: Connection, now: float) -> Load:
        """Claim them, due or not."""
        group = self._group
        found = claims.claim_chosen(db, group.app, group.name, list(group.by_name), self._heads, self._limit)
        rows = claims.allowed(found, self._allowed)
        return self._load(db, rows, rows, (), now)

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """Everything required counts as met, for this claim alone."""
        forced = MetPrerequisites()
        forced.add(
            prerequisite
            for _, deliveries in load.works
            for delivery in deliveries
            for prerequisite in delivery.required
        )
        return Known(forced, last=frozenset())


class Force:
    """Runs deliveries in this process, what is paused too. Each is tried once."""

    def __init__(self, execution: Execution, reader: Reader, pacing: Pacing | None = None) -> None:
        self._execution = execution
        self._group = execution.group
        self._reader = reader
        self._pacing = pacing or Pacing()

    def apply(
        self, chosen: Collection[int], wanted: Filter, on_step: Callable[[int], None] = lambda _count: None
    ) -> Tally:
        """Run the deliveries with these ids that the filter still finds in this group."""
        mine = replace(wanted, group_name=self._group.name)
        self._execution.pauses.look()
        with self._execution.database.reading() as db:
            given = frozenset(chosen)
            ids = [number for number in delivery_filter.chosen(db, parked, mine) if number in given]
        total, rest = Tally(chosen=len(ids)), dict.fromkeys(ids)
        before = -1
        while rest and before != len(rest):
            before = len(rest)
            for some in self._pacing.steps(list(rest)):
                claimed = self._claim([number for number in some if number in rest], rest.keys(), total)
                for number in claimed:
                    rest.pop(number)
                on_step(len(claimed))
        if self._pacing.stopped():
            total.stopped += len(rest)
        else:
            self._left(list(rest), mine, total)
        self._execution.database.repeat(lambda db: notices.notify(db, {self._group.name}))
        return total

    def _claim(self, heads: Sequence[int], allowed: AbstractSet[int], total: Tally) -> set[int]:
        claim = ForcedClaim(self._group, self._reader, heads, allowed, self._pacing.size)
        report = self._execution.handle(claim)
        made = Tally(
            done=report.done,
            again=report.waiting + report.retried,
            dead=report.dead,
            expired=report.expired,
            behind=report.behind,
            released=len(report.released) - report.revived,
            revived=report.revived,
            may_be_more=report.may_be_more,
        )
        total.add(made)
        return set(report.claimed)

    def _left(self, ids: Sequence[int], wanted: Filter, total: Tally) -> None:
        """Say why these were not run."""
        with self._execution.database.reading() as db:
            rows = delivery_filter.read(db, parked, ids, wanted, "id", "handler")
            first = delivery_filter.heads(db, [row.id for row in rows])
        known = [row for row in rows if row.handler in self._group.by_name]
        busy = sum(row.id in first for row in known)
        total.add(Tally(unregistered=len(rows) - len(known), busy=busy, behind=len(known) - busy))
