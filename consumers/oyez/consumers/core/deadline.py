"""How long a batch may take: when its time is up, what has not run is left for another one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

QUICK = 0.01  # s; a slice that took less may be followed by one of twice the size


@dataclass(frozen=True)
class Deadline:
    """The end of one batch's time: when ``clock`` is past ``end``, in seconds. ``stopped`` ends it early: a worker that
    is told to stop cuts its batch."""

    end: float = math.inf
    stopped: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic

    def is_over(self) -> bool:
        """Whether nothing more should be begun."""
        return self.clock() > self.end or self.stopped()

    def slices(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """``items``, in slices, until the time is up; the first one always comes.

        They grow while they are quick, so that a look at the clock costs a fast handler nothing, and a slow one is
        not held to what it cannot finish.
        """
        done, size = 0, 1
        while done < len(items) and not (done and self.is_over()):
            began = self.clock()
            yield items[done : done + size]
            done += size
            size = size * 2 if self.clock() - began < QUICK else max(1, size // 2)


NO_DEADLINE = Deadline()
"""All the time in the world."""
