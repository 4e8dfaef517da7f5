"""How long a batch may take: when its time is up, what has not run is left for another one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import length_hint
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

    def until_over(self, items: Iterator[T]) -> Iterator[T]:
        """``items``, until the time is up; the first one always comes. What a slow one leaves stays in ``items``.

        A handler that was quick may be slow from one event to the next: whatever it calls may hang. So the clock is
        looked at after each, and whether to stop is asked when it has gone on.
        """
        clock = self.clock
        ask_at = clock() + QUICK
        for item in items:
            yield item
            if (now := clock()) > ask_at:
                if self.is_over():
                    return
                ask_at = now + QUICK

    def each(self, items: Sequence[T]) -> Iterator[T]:
        """``items``, one by one, until the time is up; the first one always comes."""
        for some in self.slices(items):
            rest = iter(some)
            yield from self.until_over(rest)
            if length_hint(rest):
                return

    def hand_out(self, items: Sequence[T], take: Callable[[Iterable[T]], object]) -> int:
        """Give ``items`` to ``take``, some at a time, as long as there is time; returns how many it took."""
        done = 0
        for some in self.slices(items):
            rest = iter(some)
            take(self.until_over(rest))
            left = length_hint(rest)
            done += len(some) - left
            if left:
                break
        return done


NO_DEADLINE = Deadline()
"""All the time in the world."""
