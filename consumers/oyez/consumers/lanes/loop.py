"""Lanes for handlers that are an ``async def``: a task each, on the worker's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from sqlalchemy.util import greenlet_spawn

from .event_loop import EventLoop
from .lane import Lane
from .unit import Unit

PATIENCE = 2.0  # s; how long connections may take to be closed


class Loop:
    """Runs lanes on a worker's event loop."""

    def __init__(
        self, loop: EventLoop, release: Callable[[], None], run: Callable[[Lane, Unit], None]
    ) -> None:
        """``release`` lets go of their connections, on the loop."""
        self._release = release
        self._run = run
        self._loop = loop
        self._tasks: dict[Lane, Future[None]] = {}

    def submit(self, lane: Lane, unit: Unit) -> None:
        """Run a unit in a lane, as a task."""
        loop = self._loop.running
        self._tasks[lane] = asyncio.run_coroutine_threadsafe(greenlet_spawn(self._run, lane, unit), loop)

    def cancel(self, lane: Lane) -> None:
        """End what a lane does: its task is cancelled where it waits."""
        if lane in self._tasks:
            self._tasks[lane].cancel()

    def close(self) -> None:
        """Let go of the connections. The loop is others' too: see `Lanes`."""
        if self._tasks:
            with suppress(Exception):  # they end with the process, if not here
                loop = self._loop.running
                released = asyncio.run_coroutine_threadsafe(greenlet_spawn(self._release), loop)
                self._loop.wait_at_last(released, PATIENCE)
