"""An event loop in a thread: everything that a worker awaits runs on one, so that handlers may share their clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future


class EventLoop:
    """A loop whose thread is made when it is first needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._is_blocked = False

    @property
    def running(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs. Raises `RuntimeError` after `close`: nobody would end another one."""
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the event loop of the worker is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True).start()
            return self._loop

    def wait_at_last(self, done: Future[None], seconds: float) -> None:
        """Wait for something that ends with the loop. Who was waited for in vain blocks it: then nothing is waited for
        any more. Raises `TimeoutError`."""
        try:
            done.result(0.0 if self._is_blocked else seconds)
        except TimeoutError:
            self._is_blocked = True
            raise

    def call(self, work: Callable[[], object]) -> None:
        """Do this in the loop's thread, if there is one."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(work)

    def is_over(self) -> bool:
        """Whether the loop that the caller runs on is being closed: nothing is to be begun on it any more."""
        return self._loop is not asyncio.get_running_loop()

    def close(self) -> None:
        """End the loop; what still runs in it is cancelled."""
        with self._lock:
            self._is_closed = True
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except BaseException:  # noqa: BLE001, S112 # an exit in a task: whoever awaits that is told; the others go on
            continue
        break
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
