"""The transport by which the inline transport relays its own outbox."""

from __future__ import annotations

from collections.abc import Callable


class Nested:
    """Relays into the handlers; what they announce is the relay's to find."""

    def __init__(self, handle: Callable[[bytes | None, bytes], object]) -> None:
        """``handle(key, value)`` handles one event."""
        self._handle = handle

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self._handle(key, value)

    def flush(self, timeout: float) -> None:
        """Nothing is ever under way."""

    def close(self, timeout: float) -> None:
        """It is another's."""
