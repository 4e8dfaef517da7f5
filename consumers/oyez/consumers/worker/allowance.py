"""How much a bounded pass may still do."""

from __future__ import annotations

import math


class Allowance:
    """How many more events may be handled; without a limit, any number."""

    def __init__(self, limit: int | None = None) -> None:
        self.left: float = math.inf if limit is None else limit

    def of(self, batch: int) -> int:
        """At most ``batch`` events, as many as are left."""
        return int(min(batch, self.left))

    def spend(self, count: int) -> None:
        """So many were handled."""
        self.left = max(0, self.left - count)
