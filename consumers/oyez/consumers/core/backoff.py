"""When a delivery is tried again, and when it is given up."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """Backoff of ``first`` s · 2ⁿ up to ``longest`` s, give or take ``spread``; given up after ``max_attempts``,
    or after ``max_age`` s as the head of its key."""

    max_attempts: int = 25
    max_age: float = 86_400.0
    first: float = 1.0
    longest: float = 3_600.0
    spread: float = 0.2
    uniform: Callable[[float, float], float] = random.uniform

    def delay(self, attempts: int) -> float:
        """Seconds until the attempt after ``attempts`` failed ones."""
        steady = min(self.first * 2.0 ** min(attempts - 1, 60), self.longest)
        return steady * self.uniform(1 - self.spread, 1 + self.spread)
