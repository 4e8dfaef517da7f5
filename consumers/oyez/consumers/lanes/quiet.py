"""Quiet: while a row is run on which workers have died, nothing else is run in its worker. Should that die again, it is
known what it died on."""

from __future__ import annotations

import threading


class Quiet:
    """Asked for by one dispatcher at a time. The worker rests when it sees that, and the other dispatchers begin
    nothing."""

    def __init__(self) -> None:
        self._holder = threading.Lock()
        self._rests = threading.Event()
        self._over = threading.Event()
        self._is_wanted = False

    @property
    def is_wanted(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._is_wanted

    def rest(self, seconds: float) -> None:
        """The worker runs nothing, and will not as long as quiet is wanted; it waits for the end of that, for so many
        seconds at most."""
        self._rests.set()
        self._over.wait(seconds)

    def take(self) -> bool:
        """Ask for quiet; False if another one has."""
        if not self._holder.acquire(blocking=False):
            return False
        self._rests.clear()
        self._over.clear()
        self._is_wanted = True
        return True

    def is_worker_at_rest(self) -> bool:
        return self._rests.is_set()

    def give_back(self) -> None:
        """It is over."""
        self._is_wanted = False
        self._over.set()
        self._holder.release()
