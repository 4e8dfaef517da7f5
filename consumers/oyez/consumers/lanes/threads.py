"""Lanes for handlers that are a plain ``def``: a thread each."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from .lane import Lane
from .unit import Unit

Done = Callable[[Lane, Unit, "object"], None]
Work = tuple[Lane, Unit]


class Threads:
    """So many threads, each made when it is first needed. They end with the process, whatever they do then."""

    def __init__(self, name: str, release: Callable[[], None], run: Callable[[Lane, Unit], None]) -> None:
        """``release`` lets go of their connections, those that nobody uses."""
        self._release = release
        self._name = name
        self._run = run
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)

    def submit(self, lane: Lane, unit: Unit) -> None:
        """Run a unit in a lane, in a thread."""
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()
        self._work.put((lane, unit))

    def cancel(self, lane: Lane) -> None:
        """End what a lane does, as far as it can be ended: its connection."""
        lane.abandon()

    def close(self) -> None:
        """Let those go that do nothing."""
        while self._idle.acquire(blocking=False):
            self._work.put(None)
        self._release()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            self._run(*work)
            self._idle.release()
