"""How long to wait before the same is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_MOST_DOUBLINGS = 60  # more would only make a float that is too large for any clock


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds between attempts: ``first``, doubled with each failed attempt, up to ``longest``.

    Each is longer or shorter by up to the fraction ``spread``, as ``uniform(low, high)`` draws it: what failed together
    does not come back together. Without a spread nothing is drawn.
    """

    first: float
    longest: float
    spread: float = 0.0
    uniform: Callable[[float, float], float] = random.uniform

    def after(self, attempts: int) -> float:
        """Seconds to wait after so many failed attempts, one at least."""
        steady = min(self.first * 2.0 ** min(attempts - 1, _MOST_DOUBLINGS), self.longest)
        return steady * self.uniform(1 - self.spread, 1 + self.spread) if self.spread else steady
