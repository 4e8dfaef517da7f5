"""Ready or not: may a delivery run now, or what does it wait for?"""

from __future__ import annotations

from collections.abc import Mapping

from oyez.schemas.declaration import Prerequisite

from ..core.outcomes import BEHIND, EXPIRED, PAUSED, QUEUED, Behind, Expired, Outcome, Paused, Queued, Waits
from ..database.key_heads import HandlerKey, Head
from .delivery import Delivery
from .readiness import Known


class Gate:
    """Admits the deliveries of one batch, one after another. What it parks and what the batch itself completes counts
    for those that follow; it ends with the run of the batch that it was made for."""

    def __init__(self, known: Known, completed: Mapping[Prerequisite, int] | None = None) -> None:
        """``completed``: what the batch is known to complete already, and at which level."""
        self._known = known
        self._heads: dict[HandlerKey, Head] = dict(known.heads)
        self._completed: dict[Prerequisite, int] = dict(completed or {})

    def anew(self) -> Gate:
        """One for what was parked, from the beginning; what the batch completes is known by now."""
        return Gate(self._known, self._completed)

    def admit(self, delivery: Delivery) -> tuple[Delivery, Waits | Behind | Queued | Paused | Expired | None]:
        """The delivery with its rank, and None when it may run; otherwise what it waits for. What runs in a lane waits
        for one, unless it comes from there.

        An event that meets what the head of its key waits for goes before the head: behind it, both would
        wait for ever. Of several only the first does: the head waits no longer then, and the others come after it. What
        is paused is due all the same: it is claimed when that has ended, and then checked.
        What has expired ends before anything else is asked: nobody waits behind it.
        """
        if self._known.expired and (delivery.handler.name, delivery.taken.event_id) in self._known.expired:
            return delivery, EXPIRED
        key = delivery.ordered_key if self._heads else None
        if key is not None and (head := self._heads.get(key)) is not None:
            if head.waits is None or head.waits != delivery.prerequisite or head.waits in self._completed:
                return delivery, BEHIND
            delivery = delivery.with_rank(head.rank - 1)
        if self._is_paused(delivery):
            self.note(delivery, PAUSED)
            return delivery, PAUSED
        for prerequisite in delivery.required:
            if prerequisite not in self._completed and not self._known.is_met(prerequisite):
                outcome = Waits(prerequisite)
                self.note(delivery, outcome)
                return delivery, outcome
        if delivery.handler.concurrency is not None and delivery.row is None:
            self.note(delivery, QUEUED)
            return delivery, QUEUED
        return delivery, None

    def _is_paused(self, delivery: Delivery) -> bool:
        paused = self._known.paused
        return paused is not None and paused.holds(delivery.handler.name, delivery.taken.key)

    def note(self, delivery: Delivery, outcome: Outcome) -> None:
        """What became of a delivery that is the first of its key: later events of it may be behind it from now on."""
        key = delivery.ordered_key
        if key is not None and outcome.holds_key:
            awaited = outcome.prerequisite if isinstance(outcome, Waits) else None
            self._heads[key] = Head(delivery.rank, awaited)

    def complete(self, prerequisite: Prerequisite | None, level: int = 0) -> None:
        """A prerequisite that this very batch completes at ``level``, for the events that follow."""
        if prerequisite is not None:
            self._completed[prerequisite] = level

    def is_completed(self, prerequisite: Prerequisite) -> bool:
        """Whether this very batch completes it, as far as has been planned."""
        return prerequisite in self._completed

    def level(self, delivery: Delivery) -> int:
        """The first level at which a delivery may run: after everything of this batch that it waits for."""
        if not self._completed or not delivery.required:
            return 0
        completed = (self._completed.get(prerequisite, -1) for prerequisite in delivery.required)
        return max(completed, default=-1) + 1
