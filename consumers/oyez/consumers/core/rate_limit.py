"""A pace: so many a second at most."""

from __future__ import annotations

import time
from collections.abc import Callable

NAP = 0.5  # s; how soon a stop is heard


class Pace:
    """``interval`` is the least number of seconds for each."""

    def __init__(
        self,
        interval: float = 0.0,
        *,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.interval = interval
        self._timer = timer
        self._sleep = sleep
        self._next = float("-inf")

    def count(self, many: int = 1) -> None:
        """So many more are done now."""
        self._next = max(self._next, self._timer()) + self.interval * many

    def is_free(self) -> bool:
        """Whether the next one may be done at once."""
        return self.interval == 0 or self._timer() >= self._next

    def wait(self, stopped: Callable[[], bool]) -> bool:
        """Wait until the next one may be done; whether it was stopped."""
        while not stopped():
            left = 0.0 if self.interval == 0 else self._next - self._timer()
            if left <= 0:
                return False
            self._sleep(min(left, NAP))
        return True
