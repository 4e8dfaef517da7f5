"""Running a coroutine to its end for whoever cannot await: on an event loop in a thread beside."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any


class Beside:
    """A loop, made when it is first needed, and once more in a process that was forked since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: dict[int, asyncio.AbstractEventLoop] = {}

    def run(self, work: Coroutine[Any, Any, object]) -> None:
        """Run ``work`` to its end, and raise what it raises. Whoever is interrupted meanwhile has cancelled it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop())
        try:
            future.result()
        except BaseException:
            future.cancel()
            raise

    def _loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            loop = self._loops.get(os.getpid())
            if loop is None:
                loop = asyncio.new_event_loop()
                self._loops = {os.getpid(): loop}
                threading.Thread(target=loop.run_forever, name="oyez-beside", daemon=True).start()
            return loop
