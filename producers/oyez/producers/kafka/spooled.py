"""The transport "kafka", spooled: every event is on disk when `announce()` returns, and is shipped from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import TransportRefused
from ..pass_thread import PassThread
from ..spool.transport import SpoolTransport
from ..spool.writer import Writer
from ..transport import Encoded


class SpooledTransport(SpoolTransport):
    """Appends events to the spool, and ships them in the background."""

    def __init__(self, path: Path, make: Callable[[Path, str], Writer], background: PassThread) -> None:
        """``make(path, topic)`` gives the writer for a folder."""
        super().__init__(path, make)
        self._background = background

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Append one event. TransportRefused: it was not recorded."""
        super().send(topic, key, value)
        self._background.wake()

    def send_many(self, events: Sequence[Encoded]) -> Sequence[TransportRefused | None]:
        """Append events, as the spool does."""
        outcome = super().send_many(events)
        self._background.wake()
        return outcome

    def resume(self) -> None:
        """Begin to ship what is there."""
        self._background.wake()

    def close(self, timeout: float) -> None:
        """Let go of the files, and ship what can be shipped in ``timeout`` seconds; the rest stays on disk.
        TransportRefused: something could not be forced to disk."""
        try:
            super().close(timeout)
        finally:
            self._background.finish(timeout)
