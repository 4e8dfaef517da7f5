"""What the workers of a process share: connections, statements that are compiled once, one relay of the outbox."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine

from ..database.notices import Notices
from ..logs.backend import LogBackend
from ..outbox.relay_thread import BackgroundRelay


class Parts(NamedTuple):
    """What is shared. ``notices``: None where workers look for what is released."""

    engine: Engine
    backend: LogBackend
    notices: Notices | None
    relay: BackgroundRelay


class LeftOpen:
    """A relay that goes on when one of the workers ends."""

    def __init__(self, relay: BackgroundRelay) -> None:
        self._relay = relay

    def wake(self) -> None:
        self._relay.wake()

    def close(self) -> None:
        """Others have it too."""


class Sharing:
    """Makes the parts for the first worker of a process that begins, and lets go of them with the last one that ends.

    It is made before the processes are forked, which inherit nothing of it but how the parts are made.
    """

    def __init__(self, make: Callable[[str], Parts]) -> None:
        """``make`` is given the name of the group whose worker is the first."""
        self._make = make
        self._lock = threading.Lock()
        self._parts: Parts | None = None
        self._workers = 0

    @contextmanager
    def joined(self, group: str) -> Iterator[Parts]:
        """The parts, for a worker of this group until the end of the block."""
        with self._lock:
            if self._parts is None:
                self._parts = self._make(group)
            self._workers += 1
            parts = self._parts
        try:
            yield parts._replace(relay=LeftOpen(parts.relay))
        finally:
            with self._lock:
                self._workers -= 1
                if not self._workers:
                    self._parts = None
                    parts.relay.close()
                    parts.engine.dispose()


def pool_for(workers: int, of_one: Mapping[str, Any]) -> Mapping[str, Any]:
    """SQLAlchemy's options for the pool of so many workers: as many connections as they would have alone."""
    return {
        name: value * workers if name in ("pool_size", "max_overflow") else value
        for name, value in of_one.items()
    }
