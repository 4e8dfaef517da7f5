"""A thread of an announcing process that ships the spool."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ..forks import call_in_child
from .spool_shipper import SpoolShipper

log = logging.getLogger("oyez.spool")

_EVERY = 1.0
_IDLE = 30.0


class Background:
    """Ships as long as its process lives, from the first time on that it is woken."""

    def __init__(self, make: Callable[[], SpoolShipper]) -> None:
        self._make = make
        self._begin()
        call_in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._finishing = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There is something to ship."""
        if self._thread is None:
            self._start()
        if not self._woken.is_set():
            self._woken.set()

    def finish(self, timeout: float) -> None:
        """Ship what can be shipped in so many seconds, and end."""
        self._finishing.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._stopping.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._finishing.is_set():
                thread = threading.Thread(target=self._run, name="oyez-spool-shipping", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        spool_shipper, busy = self._make(), time.monotonic()
        while not self._stopping.is_set():
            last = self._finishing.is_set()
            try:
                done = spool_shipper.run(self._stopping.is_set)
            except Exception:
                log.exception("the spool was not shipped; it is tried again")
                done = None
            if last and (done is None or not done.shipped or not done.stuck):
                break
            if done is None or done.shipped or done.stuck:
                busy = time.monotonic()
            elif time.monotonic() - busy > _IDLE:
                spool_shipper.rest()
            self._woken.wait(_EVERY)
            self._woken.clear()
            if done is None or done.stuck:
                self._finishing.wait(_EVERY)
        spool_shipper.close(1.0)
