"""The plan of a batch: what runs, in which order, and what parks, supposing that no handler fails.

Deliveries run handler by handler, so that a batch handler gets as many events as it can. A delivery that needs what
the batch itself completes runs one level later; within a (handler, key) the levels never go back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..handlers.registry import Handler
from .delivery import Delivery, Result
from .reader import Taken
from .readiness import Readiness

Work = tuple[Taken, list[Delivery]]
"""One event with its deliveries."""

Completing = Mapping[str, frozenset[str]]


class Plan:
    """Levels of deliveries to run, each by handler; ``parked`` has the deliveries that are not ready."""

    def __init__(self, works: Sequence[Work], readiness: Readiness, completing: Completing) -> None:
        self.levels: list[dict[Handler, list[Delivery]]] = [{}]
        self.parked: list[Result] = []
        self._key_levels: dict[tuple[str, str], int] = {}
        self._readiness = readiness
        if readiness.holds_nothing_back(deliveries for _, deliveries in works):
            self._add_all(works)
            return
        for taken, deliveries in works:
            self._add(taken, deliveries, completing.get(taken.declaration.name, frozenset()))

    def _add_all(self, works: Sequence[Work]) -> None:
        """Nothing is parked and nothing is required: everything runs, on one level."""
        level = self.levels[0]
        for _, deliveries in works:
            for delivery in deliveries:
                if delivery.handler in level:
                    level[delivery.handler].append(delivery)
                else:
                    level[delivery.handler] = [delivery]

    def _add(self, taken: Taken, deliveries: list[Delivery], completing: frozenset[str]) -> None:
        last, complete = 0, bool(completing)
        for delivery in deliveries:
            outcome = self._readiness.gate(delivery)
            if outcome is not None:
                self._readiness.park(delivery, outcome)
                self.parked.append((delivery, outcome))
                complete = complete and delivery.handler.name not in completing
                continue
            level = self._level(delivery)
            last = max(last, level)
            self._at(level).setdefault(delivery.handler, []).append(delivery)
        if complete and taken.declaration.subject is not None and all(s.is_last for s in deliveries):
            self._readiness.complete(deliveries[0].prerequisite, last)

    def _level(self, delivery: Delivery) -> int:
        level = self._readiness.level(delivery)
        if len(self.levels) == 1 and level == 0:
            return 0
        key = delivery.ordered_key
        if key is not None:
            level = max(level, self._key_levels.get(key, 0))
            self._key_levels[key] = level
        return level

    def _at(self, level: int) -> dict[Handler, list[Delivery]]:
        while len(self.levels) <= level:
            self.levels.append({})
        return self.levels[level]

    def steps(self) -> Iterator[tuple[Handler, list[Delivery]]]:
        """What to call, in order; within a level, handlers without a database parameter come last."""
        for level in self.levels:
            yield from sorted(level.items(), key=lambda step: not step[0].uses_database)

    @property
    def is_flat(self) -> bool:
        """Whether nothing in the batch depends on something else in it."""
        return len(self.levels) == 1
