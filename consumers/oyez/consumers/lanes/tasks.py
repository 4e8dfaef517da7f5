"""Where handlers that are an ``async def`` run in memory: a task for each event, on the worker's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..core.awaiting import within
from ..core.outcomes import DONE, UNRUN, Outcome
from ..execution.attempt import outcome_of
from ..execution.delivery import Delivery, payloads
from ..handlers.registry import Handler
from .by_key import ByKey, Ended, Errand
from .event_loop import EventLoop


class Tasks:
    """Those of one handler. What is not public belongs to the loop's thread."""

    def __init__(self, handler: Handler, loop: EventLoop, ended: Ended, most: int) -> None:
        """So many at once, at ``most``."""
        self._function: Callable[[Any], Any] = handler.function
        self._seconds = handler.timeout
        self._loop = loop
        self._ended = ended
        self._most = most
        self._queue = ByKey(lambda errand: ended(errand, UNRUN))
        self._tasks: set[asyncio.Task[Outcome | None]] = set()
        self._is_cancelled = False
        self._is_heard = True
        self.hanging = 0

    @property
    def running(self) -> int:
        """How many run, or might begin still, since the loop has not heard of `hold`."""
        return len(self._tasks) + (not self._is_heard)

    def put(self, errands: Sequence[Errand]) -> None:
        """Run these, in this order for each key, when there is room."""
        self._loop.running.call_soon_threadsafe(self._put, errands)

    def time_out(self) -> None:
        """Each task sees to its own time."""

    def hold(self) -> None:
        """Begin nothing until `go_on`."""
        self._is_heard = False
        self._loop.running.call_soon_threadsafe(self._hold)

    def go_on(self) -> None:
        """Begin again what waits."""
        self._loop.call(self._go_on)

    def stop(self) -> None:
        """Begin nothing more."""
        self._loop.call(self._queue.clear)

    def cancel(self) -> None:
        """End what runs; nothing is said of it."""
        self._loop.call(self._cancel)

    def _put(self, errands: Sequence[Errand]) -> None:
        self._queue.put(errands)
        self._fill()

    def _hold(self) -> None:
        self._queue.hold()
        self._is_heard = True

    def _go_on(self) -> None:
        self._queue.go_on()
        self._fill()

    def _fill(self) -> None:
        while len(self._tasks) < self._most and not self._loop.is_over():
            errand = self._queue.take()
            if errand is None:
                return
            task = asyncio.create_task(self._outcome(errand.delivery))
            self._tasks.add(task)
            task.add_done_callback(partial(self._end, errand))

    def _end(self, errand: Errand, task: asyncio.Task[Outcome | None]) -> None:
        outcome = self._came_of(asyncio.CancelledError()) if task.cancelled() else task.result()
        if outcome is not None:
            self._ended(errand, outcome)  # before it counts as not running: see `Pool`
        self._tasks.discard(task)
        self._queue.end(errand)
        self._fill()

    async def _outcome(self, delivery: Delivery) -> Outcome | None:
        """As `_came_of`. A task that is cancelled before it has begun does not come here."""
        try:
            (payload,) = payloads([delivery])
            if self._seconds is None:
                await self._function(payload)
            else:
                await within(self._function(payload), self._seconds)
        except BaseException as error:  # noqa: BLE001 # see `attempt`
            return self._came_of(error)
        return DONE

    def _came_of(self, error: BaseException) -> Outcome | None:
        """None if it was ended from outside."""
        return None if self._is_cancelled or self._loop.is_over() else outcome_of(error)

    def _cancel(self) -> None:
        self._is_cancelled = True
        self._queue.clear()
        for task in self._tasks:
            task.cancel()
