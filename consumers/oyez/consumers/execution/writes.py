"""What a transaction will write of its deliveries: collected first, then one statement a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, assert_never

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import behind, dead_letters, key_heads, parked
from ..database.dialects.lookup import dialect_of
from ..database.key_heads import HandlerKey
from ..database.parked import RowChange
from ..database.parked_row import ParkedRow
from ..handlers.application import Group
from .decide import Bury, Decision, Drop, Park, Stay
from .delivery import Delivery, Result
from .fresh import Fresh, fresh_rows, is_for_lane
from .rows import dead_row, first_attempt, parked_row


class Writes:
    """The state changes of deliveries. A delivery without a row is new to the retry table; one with a row was
    claimed."""

    def __init__(self, group: Group, now: float) -> None:
        self._group = group
        self._now = now
        self._removed: list[int] = []
        self._new: list[dict[str, Any]] = []
        self._for_lanes: list[tuple[int, Delivery]] = []
        self._changed: list[RowChange] = []
        self._dead: list[dict[str, Any]] = []
        self._needed: list[tuple[str, str, Prerequisite, int]] = []
        self._freed: set[HandlerKey] = set()
        self._passing: list[tuple[HandlerKey, Prerequisite]] = []
        self._dues: list[float] = []
        self.counts: Counter[str] = Counter()
        """How many deliveries there are of each kind of decision: see `Report`."""
        self.fresh: Sequence[Fresh] = ()
        """What was written for lanes."""
        self.decided: list[tuple[Delivery, Decision]] = []
        """What was decided of each delivery that is not done."""

    @property
    def due_in(self) -> float | None:
        """In how many seconds the next of the rows is due that are written."""
        return max(0.0, min(self._dues) - self._now) if self._dues else None

    def done(self, results: Sequence[Result]) -> None:
        """These deliveries are finished."""
        for delivery, _ in results:
            if delivery.row is not None:
                self._remove(delivery)

    def add(self, delivery: Delivery, decision: Decision) -> None:
        """Collect what was decided of a delivery."""
        self.decided.append((delivery, decision))
        match decision:
            case Stay():
                self.counts["behind"] += 1
            case Park():
                self.counts[decision.counts] += 1
                self._park(delivery, decision)
            case Bury():
                self.counts["dead"] += 1
                self._bury(delivery, decision)
            case Drop():
                self.counts["expired"] += 1
                if delivery.row is not None:
                    self._remove(delivery)
            case _:
                assert_never(decision)

    def remove_done(self, db: Connection) -> None:
        """Delete the rows of deliveries that are finished, before anybody is asked what is still parked."""
        parked.remove(db, self._removed)
        self._removed.clear()

    def end_done(self, db: Connection) -> int:
        """The same where everything is finished, and make due what has become a head; returns how many."""
        if not self._removed or not self._freed or not dialect_of(db).writes_in_queries:
            self.remove_done(db)
            return self.make_due(db)
        promoted = behind.remove_and_promote(db, self._group.app, self._removed, self._freed, self._now)
        return self._note_promoted(promoted)

    def write(self, db: Connection) -> None:
        """Everything else; the prerequisites that are waited for are locked.

        The dead come first: their row ids are before those of what is parked behind them.
        """
        parked.remove(db, self._removed)
        dead_letters.bury(db, self._dead)
        self.fresh = fresh_rows(parked.park(db, self._new), self._new, self._for_lanes)
        parked.change(db, self._changed)

    def make_due(self, db: Connection, met: AbstractSet[Prerequisite] = frozenset()) -> int:
        """Rows that go before their head, and those that have become heads; returns how many are due now. What waits
        for something ``met`` is released or will be: nothing goes before it any more."""
        self._pass_heads(db, met)
        parked.bring_forward(db, self._group.app, self._needed)
        return self._note_promoted(behind.promote(db, self._group.app, self._freed, self._now))

    def _note_promoted(self, promoted: int) -> int:
        if promoted:
            self._dues.append(self._now)
        return promoted

    def _pass_heads(self, db: Connection, met: AbstractSet[Prerequisite]) -> None:
        """New rows whose head has begun to wait for what they would meet since they were put behind it."""
        passing = [(key, prerequisite) for key, prerequisite in self._passing if prerequisite not in met]
        heads = key_heads.heads(db, self._group.app, {key for key, _ in passing})
        for key, prerequisite in passing:
            head = heads.get(key)
            if head is not None and head.waits == prerequisite:
                self._needed.append((*key, prerequisite, head.rank - 1))
                self._freed.add(key)

    def _park(self, delivery: Delivery, to: Park) -> None:
        if to.due_at is not None and to.counts not in {"paused", "queued"}:  # those are others' to run
            self._dues.append(to.due_at)
        row = delivery.row
        if row is None:
            if is_for_lane(delivery, to):
                self._for_lanes.append((len(self._new), delivery))
            self._new.append(parked_row(self._group, delivery, self._now, to))
        else:
            self._changed.append(_changed(row, delivery.rank, self._now, to))
        if to.counts == "behind":
            self._may_pass(delivery)
        elif to.waits is not None:
            self._wait(delivery, to.waits)

    def _may_pass(self, delivery: Delivery) -> None:
        """The head that it is behind may be about to wait for it."""
        key, prerequisite = delivery.ordered_key, delivery.prerequisite
        if key is not None and prerequisite is not None:
            self._passing.append((key, prerequisite))

    def _wait(self, delivery: Delivery, prerequisite: Prerequisite) -> None:
        """What would meet it may be parked behind it; that one goes before it."""
        key = delivery.ordered_key
        if key is not None and prerequisite.signal == delivery.taken.declaration.name:
            self._needed.append((*key, prerequisite, delivery.rank - 1))
            self._freed.add(key)

    def _bury(self, delivery: Delivery, bury: Bury) -> None:
        self._dead.append(dead_row(self._group, delivery, self._now, bury))
        self._remove(delivery)

    def _remove(self, delivery: Delivery) -> None:
        if delivery.row is not None:
            self._removed.append(delivery.row.id)
        if delivery.ordered_key is not None:
            self._freed.add(delivery.ordered_key)


def _changed(row: ParkedRow, rank: int, now: float, to: Park) -> RowChange:
    """The change to a row that was claimed."""
    attempts = row.attempts if to.attempts is None else to.attempts
    since = row.head_since or now
    first = first_attempt(row, to.span)
    return RowChange(
        row.id, rank, attempts, to.due_at, to.waits, to.error or row.error, since, to.raised, first
    )
