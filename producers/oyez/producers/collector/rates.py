"""How many events may come in a second, by name. A request without any counts as one."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

BURST = 10.0
"""Seconds whose events may come at once."""


class Rates:
    """Token buckets of the names that were used last. What was allowed counts, and may leave a bucket in debt."""

    def __init__(
        self, per_second: float, names: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`names`: so many are known at once, at most; `clock` is in seconds."""
        self._rate = per_second
        self._full = max(1.0, per_second * BURST)
        self._names = names
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Seconds after which the next event may come; 0: now."""
        return max(0.0, (1.0 - self._left(name)) / self._rate)

    def count_request(self, name: str) -> None:
        """One has come, and counts as an event, whatever becomes of it."""
        self._count(name, 1)

    def count_events(self, name: str, events: int) -> None:
        """A request that was counted has so many."""
        self._count(name, max(0, events - 1))

    def _count(self, name: str, events: int) -> None:
        self._buckets[name] = (self._left(name) - events, self._clock())
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._names:
            self._buckets.popitem(last=False)

    def _left(self, name: str) -> float:
        left, at = self._buckets.get(name, (self._full, 0.0))
        return min(self._full, left + (self._clock() - at) * self._rate)
