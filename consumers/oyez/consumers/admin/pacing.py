"""How fast a bulk operation goes on, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from ..core.rate_limit import Pace

T = TypeVar("T")

STEP = 500
MOMENT = 0.1  # s; at a rate, a step has what is due in this time: many small steps are smoother than few large ones


@dataclass(frozen=True)
class Pacing:
    """Steps of ``size`` at most, at this pace, until it is ``stopped``."""

    size: int = STEP
    pace: Pace = field(default_factory=Pace)
    stopped: Callable[[], bool] = lambda: False

    @staticmethod
    def at(pace: Pace, stopped: Callable[[], bool]) -> Pacing:
        """In steps that suit the pace."""
        size = STEP if pace.interval == 0 else max(1, round(min(STEP, MOMENT / pace.interval)))
        return Pacing(size, pace, stopped)

    def steps(self, some: Iterable[T]) -> Iterator[Sequence[T]]:
        """``some`` in parts, each when its time has come. After a stop comes no other."""
        rest = iter(some)
        while part := list(islice(rest, self.size)):
            if self.pace.wait(self.stopped):
                return
            yield part
            self.pace.count(len(part))


def parts(some: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``some`` in parts of ``size`` at most."""
    for start in range(0, len(some), size):
        yield some[start : start + size]
