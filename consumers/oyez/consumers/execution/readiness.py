"""Ready or not: may a delivery run now, or what does it wait for?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import prerequisites as prerequisite_rows
from ..database.parked import HandlerKey, Head
from .delivery import BEHIND, Behind, Delivery, Failed, Outcome, Waits
from .reader import Taken

SEEN_FOR = 3_600.0
"""For how many seconds, at most, a process does not ask again for a prerequisite that it has seen met."""


class MetPrerequisites:
    """The prerequisites that this process has seen met. They need not be asked for again, for a while: it has to be
    seen now and then that a prerequisite is in use, or it is forgotten."""

    def __init__(self, limit: int = 200_000) -> None:
        self._limit = limit // 2
        self._prerequisites: OrderedDict[Prerequisite, None] = OrderedDict()
        self._earlier: OrderedDict[Prerequisite, None] = OrderedDict()
        self._since = float("-inf")

    def __contains__(self, prerequisite: Prerequisite) -> bool:
        return prerequisite in self._prerequisites or prerequisite in self._earlier

    def age(self, now: float) -> None:
        """It is ``now``: forget what was added too long ago."""
        age = now - self._since
        if not 0 <= age < SEEN_FOR / 3:
            self._earlier = self._prerequisites if 0 <= age < SEEN_FOR * 2 / 3 else OrderedDict()
            self._prerequisites, self._since = OrderedDict(), now

    def add(self, prerequisites: Iterable[Prerequisite]) -> None:
        for prerequisite in prerequisites:
            self._prerequisites[prerequisite] = None
        while len(self._prerequisites) > self._limit:
            self._prerequisites.popitem(last=False)


def ask(
    db: Connection, app: str, works: Iterable[tuple[Taken, list[Delivery]]], met: MetPrerequisites
) -> set[Prerequisite]:
    """Ask for the prerequisites of these events that were not seen met before; returns those that are unmet."""
    asked = {
        prerequisite
        for _, deliveries in works
        for delivery in deliveries
        for prerequisite in delivery.required
        if prerequisite not in met
    }
    found = prerequisite_rows.met(db, app, asked)
    met.add(found)
    return asked - found


class Readiness:
    """What is known while one batch is decided: prerequisites met, prerequisites completed by the batch itself, and
    parked heads."""

    def __init__(self, met: MetPrerequisites, heads: dict[HandlerKey, Head]) -> None:
        self._met = met
        self._heads = heads
        self._completed: dict[Prerequisite, int] = {}

    def holds_nothing_back(self, events: Iterable[list[Delivery]]) -> bool:
        """Whether nothing is parked for these events' keys and none of them requires anything."""
        return not self._heads and not any(
            delivery.required for deliveries in events for delivery in deliveries
        )

    def gate(self, delivery: Delivery) -> Waits | Behind | None:
        """None when the delivery may run; otherwise what it waits for.

        An event that meets what the head of its key waits for goes before the head: behind it, both would
        wait for ever.
        """
        if (
            self._heads
            and (key := delivery.ordered_key) is not None
            and (head := self._heads.get(key)) is not None
        ):
            if head.waits is None or head.waits != delivery.prerequisite:
                return BEHIND
            delivery.rank = head.rank - 1
        for prerequisite in delivery.required:
            if prerequisite not in self._met and prerequisite not in self._completed:
                return Waits(prerequisite)
        return None

    def park(self, delivery: Delivery, outcome: Outcome) -> None:
        """Later events of this delivery's key are behind it from now on."""
        key = delivery.ordered_key
        if key is not None and isinstance(outcome, Waits | Failed):
            self._heads[key] = Head(
                delivery.rank, outcome.prerequisite if isinstance(outcome, Waits) else None
            )

    def complete(self, prerequisite: Prerequisite | None, level: int = 0) -> None:
        """A prerequisite that this very batch completes at ``level``, for the events that follow."""
        if prerequisite is not None:
            self._completed[prerequisite] = level

    def level(self, delivery: Delivery) -> int:
        """The first level at which a delivery may run: after everything of this batch that it waits for."""
        if not self._completed or not delivery.required:
            return 0
        completed = (self._completed.get(prerequisite, -1) for prerequisite in delivery.required)
        return max(completed, default=-1) + 1
