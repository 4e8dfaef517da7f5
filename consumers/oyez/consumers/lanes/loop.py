"""Lanes for handlers that are an ``async def``: a task each, on one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from sqlalchemy.util import greenlet_spawn

from .lane import Lane
from .unit import Unit

PATIENCE = 2.0  # s; how long connections may take to be closed


class Loop:
    """An event loop in a thread, made when it is first needed."""

    def __init__(self, name: str, release: Callable[[], None], run: Callable[[Lane, Unit], None]) -> None:
        """``release`` lets go of their connections, on the loop."""
        self._release = release
        self._run = run
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._tasks: dict[Lane, Future[None]] = {}

    def submit(self, lane: Lane, unit: Unit) -> None:
        """Run a unit in a lane, as a task."""
        if not self._thread.is_alive():
            self._thread.start()
        self._tasks[lane] = asyncio.run_coroutine_threadsafe(
            greenlet_spawn(self._run, lane, unit), self._loop
        )

    def cancel(self, lane: Lane) -> None:
        """End what a lane does: its task is cancelled where it waits."""
        self._tasks[lane].cancel()

    def close(self) -> None:
        """End the loop, with whatever still hangs in it."""
        if self._thread.is_alive():
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(greenlet_spawn(self._release), self._loop).result(PATIENCE)
            self._loop.call_soon_threadsafe(self._loop.stop)
