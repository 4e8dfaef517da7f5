"""The time of a test: it passes only when the test says so."""

from __future__ import annotations

from collections.abc import Callable

NANO = 1_000_000_000


class Clock:
    """Seconds since the epoch, for whoever asks a database for the time."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self, _db: object = None) -> float:
        return self.now

    def nanoseconds(self) -> int:
        """The same in nanoseconds, for announcers."""
        return int(self.now * NANO)

    def passing(self, _now: float) -> Callable[[], float]:
        """The clock of what handlers use: for them time stands still, too."""
        return self

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass. ValueError for fewer than 0: time never goes back."""
        if not seconds >= 0:
            raise ValueError(f"advance({seconds!r}): give the seconds that are to pass, 0 or more")
        self.now += seconds
