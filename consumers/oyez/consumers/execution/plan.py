"""The plan of a batch: what runs, in which order, and what parks, supposing that no handler fails. When one did, what
is left is planned anew.

Deliveries run handler by handler, so that a batch handler gets as many events as it can. A delivery that needs what
the batch itself completes runs one level later, also where that comes after it in the batch; within a (handler, key)
the levels never go back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter, itemgetter

from oyez.schemas.declaration import Prerequisite

from ..core.outcomes import Waits
from ..handlers.registry import Handler
from .delivery import Delivery, Result, Work
from .gate import Gate
from .readiness import Known

AGAIN = 10
"""How often it is looked at most whether something of the batch is what an earlier event of it waits for. Of a longer
chain the other way round, the rest is parked, and released when the batch is settled."""

Completing = Mapping[str, frozenset[str]]
Level = dict[Handler, list[Delivery]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Levels of deliveries to run, each by handler; ``parked`` has the deliveries that are not ready."""

    levels: Sequence[Level]
    parked: Sequence[Result] = ()

    @property
    def is_flat(self) -> bool:
        """Whether nothing in the batch depends on something else in it."""
        return len(self.levels) == 1


def plan(works: Sequence[Work], known: Known, completing: Completing, ran: Sequence[Result] = ()) -> Plan:
    """The plan for these events, or for what is left to do of them after some have ``ran``, and not all are done."""
    if not (ran or known.heads or known.expired) and known.paused is None:
        deliveries = list(chain.from_iterable(map(_deliveries_of, works)))
        handlers = dict.fromkeys(map(_handler_of, deliveries))
        if not any(map(_required_by, deliveries)) and not any(map(_concurrency_of, handlers)):
            return Plan([_together(deliveries, handlers)])
    planner = _Planner(known, completing, ran)
    planner.add(works)
    for _ in range(AGAIN):
        if not planner.completes_what_is_awaited():
            break
        planner.add_again()
    return Plan(planner.levels, planner.parked)


_deliveries_of: Callable[[Work], list[Delivery]] = itemgetter(1)
_handler_of: Callable[[Delivery], Handler] = attrgetter("handler")
_concurrency_of: Callable[[Handler], int | None] = attrgetter("concurrency")
_required_by: Callable[[Delivery], Sequence[Prerequisite]] = attrgetter("required")


def _together(deliveries: list[Delivery], handlers: dict[Handler, None]) -> Level:
    """Nothing is parked and nothing is required: everything runs, on one level."""
    if len(handlers) == 1:
        return dict.fromkeys(handlers, deliveries)
    level: Level = {handler: [] for handler in handlers}
    for delivery in deliveries:
        level[delivery.handler].append(delivery)
    return level


class _Planner:
    """Puts events on their levels, one after another; then again those that something later in the batch completes
    what they wait for."""

    def __init__(self, known: Known, completing: Completing, ran: Sequence[Result]) -> None:
        self.levels: list[Level] = [{}]
        self.parked: list[Result] = []
        self._known = known
        self._completing = completing
        self._gate = Gate(known)
        self._key_levels: dict[tuple[str, str], int] = {}
        self._ran = {(delivery.handler.name, delivery.at): (delivery, outcome) for delivery, outcome in ran}
        self._placed: dict[tuple[str, int], int] = {}
        self._open: list[Work] = []

    def add(self, works: Sequence[Work]) -> None:
        """Plan these events, in their order."""
        for work in works:
            self._add(work)

    def completes_what_is_awaited(self) -> bool:
        """Whether a new event waits for what the batch completes after it. Rows that wait are released when that is
        settled: with them comes what was given up while it waited, and stands before them."""
        return any(
            isinstance(outcome, Waits)
            and delivery.row is None
            and self._gate.is_completed(outcome.prerequisite)
            for delivery, outcome in self.parked
        )

    def add_again(self) -> None:
        """Plan anew what was parked. What has its level stays there: it is before what was parked in its key, or was
        let past it."""
        works, self._open, self.parked = self._open, [], []
        self._gate = self._gate.anew()
        self._placed = {
            (one.handler.name, one.at): number
            for number, level in enumerate(self.levels)
            for deliveries in level.values()
            for one in deliveries
        }
        self.add(works)

    def _add(self, work: Work) -> None:
        """Plan one event; what it completes counts for those that follow."""
        taken, deliveries = work
        completing = self._completing.get(taken.declaration.name, frozenset())
        last, completes, is_open = 0, bool(completing), False
        for waiting in deliveries:
            name = (waiting.handler.name, waiting.at)
            if (result := self._ran.get(name)) is not None:
                is_open = True
                self._gate.note(*result)
                completes = completes and (result[1].completes or waiting.handler.name not in completing)
                continue
            if (placed := self._placed.get(name)) is not None:
                last = max(last, placed)
                continue
            delivery, outcome = self._gate.admit(waiting)
            if outcome is not None:
                is_open = True
                self.parked.append((delivery, outcome))
                completes = completes and delivery.handler.name not in completing
                continue
            level = self._level(delivery)
            last = max(last, level)
            self._at(level).setdefault(delivery.handler, []).append(delivery)
        if is_open:
            self._open.append(work)
        if not completes or taken.declaration.subject is None:
            return
        if all(self._known.is_last(delivery) for delivery in deliveries):
            self._gate.complete(deliveries[0].prerequisite, last)

    def _level(self, delivery: Delivery) -> int:
        level = self._gate.level(delivery)
        if len(self.levels) == 1 and level == 0:
            return 0
        key = delivery.ordered_key
        if key is not None:
            level = max(level, self._key_levels.get(key, 0))
            self._key_levels[key] = level
        return level

    def _at(self, level: int) -> Level:
        while len(self.levels) <= level:
            self.levels.append({})
        return self.levels[level]
