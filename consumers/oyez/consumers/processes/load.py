"""Which worker of a shared process has so much to do that it holds up the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

Times = Mapping[str, float]
"""Seconds of a processor that workers have taken so far, by name."""


class Limits(NamedTuple):
    """When that is so: ``share`` of a processor that all together take for ``window`` seconds; of the one that takes
    most, ``least``. In the first ``settling`` seconds all are busy: they join, and compile their statements."""

    share: float = 0.5
    least: float = 0.05
    window: float = 10.0
    settling: float = 20.0


class Load:
    """Looks at the workers of one process. What they wait for costs the others nothing, and is not counted."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._begins = clock() + limits.settling
        self._before: Times = {}

    def too_busy(self, times: Callable[[], Times]) -> tuple[str, str] | None:
        """The worker that is to have a process of its own, and why; None if there is none. Cheap, and often asked:
        ``times`` is called once for each window."""
        now = self._clock()
        since = now - self._begins
        if since < (self._limits.window if self._before else 0.0):
            return None
        before, self._before, self._begins = self._before, times(), now
        taken = {name: (self._before[name] - before[name]) / since for name in self._before.keys() & before}
        if len(taken) < 2 or sum(taken.values()) < self._limits.share:
            return None
        name = max(sorted(taken), key=taken.__getitem__)
        if taken[name] < self._limits.least:
            return None
        return (
            name,
            f"it took {taken[name]:.0%} of a processor beside others, all together {sum(taken.values()):.0%}",
        )
