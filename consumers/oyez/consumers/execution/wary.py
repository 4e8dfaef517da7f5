"""Which handlers have failed lately: what they do is undone in parts, not as a whole."""

from __future__ import annotations

LATELY = 10_000  # events that a handler has to get through before its last failure is forgotten
LARGEST = 64  # events of a part; what fails costs half of one, and a savepoint costs as much as a few events
QUICK = 0.01  # s; a part that took less may be followed by one of twice the size


class Wary:
    """Remembers, from batch to batch, which handlers have failed lately. It knows nothing that has to be right: many
    threads may use it, and a transaction that is rolled back may have been counted."""

    def __init__(self) -> None:
        self.lately: dict[str, int] = {}
        """The handlers that have, each with the events that it still has to get through."""
        self._sizes: dict[str, int] = {}

    def part(self, handler: str) -> int:
        """How many events of the handler are worth a savepoint: fewer, the more often it fails, and the slower it
        is."""
        return self._sizes.get(handler, 1)

    def failed(self, handler: str) -> None:
        """The handler has failed for an event."""
        self.lately[handler] = LATELY
        self._sizes[handler] = max(1, self.part(handler) // 2)

    def passed(self, handler: str, events: int, seconds: float) -> None:
        """The handler has got through so many at once, in so many seconds."""
        left = self.lately.get(handler, 0) - events
        size = self.part(handler)
        if left > 0:
            self.lately[handler] = left
            self._sizes[handler] = min(LARGEST, size * 2) if seconds < QUICK else max(1, size // 2)
        else:
            self.lately.pop(handler, None)
            self._sizes.pop(handler, None)
