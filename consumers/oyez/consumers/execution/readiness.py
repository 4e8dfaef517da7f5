"""What is known before a batch runs: prerequisites that are met, and keys that have something parked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import prerequisites as prerequisite_rows
from ..database.inbox import EventId
from ..database.key_heads import HandlerKey, Head
from .delivery import Delivery, Work
from .pauses import PausedParts

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


def ask(db: Connection, app: str, works: Iterable[Work], met: MetPrerequisites) -> frozenset[Prerequisite]:
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
    return frozenset(asked - found)


@dataclass(frozen=True, slots=True)
class Known:
    """What was asked before any handler of a batch runs.

    ``met``: the prerequisites seen met; ``answered``: those that the application's own tables have said are met, in
    this transaction; ``heads``: the first parked row of each (handler, key) that has one. ``last`` has the deliveries,
    by handler and event, whose events have no other one left that has to be done; None for events that are new, of
    which all are in hand. ``paused`` says what is not to run; None if nothing is paused.
    ``expired`` has the deliveries, by handler and event, whose events have expired.
    """

    met: MetPrerequisites
    heads: Mapping[HandlerKey, Head] = field(default_factory=dict)
    answered: frozenset[Prerequisite] = frozenset()
    last: frozenset[tuple[str, EventId]] | None = None
    paused: PausedParts | None = None
    expired: frozenset[tuple[str, EventId]] = frozenset()

    def is_met(self, prerequisite: Prerequisite) -> bool:
        """Whether it is met, as far as is known."""
        return prerequisite in self.met or prerequisite in self.answered

    def is_last(self, delivery: Delivery) -> bool:
        """Whether a delivery's event has no other one that has to be done, beside those in hand."""
        return self.last is None or (delivery.handler.name, delivery.taken.event_id) in self.last
