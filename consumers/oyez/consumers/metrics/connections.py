"""Who is connected to an endpoint: so many at once, and each for so long."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple


class Bounds(NamedTuple):
    """What whoever connects may take: nobody keeps others from being answered, or the process from its end."""

    most: int = 32
    """Connections at once."""
    seconds: float = 10.0
    """For a request and its answer."""
    grace: float = 2.0
    """Seconds for what is under way when it is to stop."""


class Connections:
    """Those that are open. They are added by one thread; each may be removed by another."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self._bounds = bounds
        self._clock = clock
        self._since: dict[socket.socket, float] = {}
        self._changed = threading.Condition()

    def add(self, one: socket.socket) -> bool:
        """Whether there is room for one more, which is open from now on."""
        with self._changed:
            if len(self._since) >= self._bounds.most:
                return False
            self._since[one] = self._clock()
            return True

    def remove(self, one: socket.socket) -> None:
        """It is closed."""
        with self._changed:
            self._since.pop(one, None)
            self._changed.notify()

    def cut_overdue(self) -> None:
        """End those that have had their time."""
        self._cut(self._clock() - self._bounds.seconds)

    def end(self) -> None:
        """Wait until all are closed; end those that take too long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._since, self._bounds.grace)
        self._cut(float("inf"))

    def _cut(self, before: float) -> None:
        with self._changed:
            late = [one for one, since in self._since.items() if since <= before]
        for one in late:
            with suppress(OSError):  # it was closed in the meantime
                one.shutdown(socket.SHUT_RDWR)
