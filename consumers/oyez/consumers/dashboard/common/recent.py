"""Answers that are given again for a while: what took long to find is not looked for at each request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

T = TypeVar("T")

TIMES = 10.0
"""An answer is given again for so many times the time that it took."""
LEAST = 1.0
"""Seconds for which it is given again at least."""
MOST = 60.0
"""The same at most: then it is too old, however long it takes."""


class _Kept(NamedTuple):
    value: Any
    until: float


class Recent:
    """Keeps answers by name. However many ask, one at a time looks for an answer; meanwhile the others get the last
    one, and wait only if there is none. So all viewers together take a small part of one connection's time, and no
    thread for long."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        """``timer`` gives seconds."""
        self._timer = timer
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def answer(self, name: str, ask: Callable[[], T]) -> T:
        """The answer of that name, which ``ask`` gives if there is none or it is too old. Raises what that raises, and
        keeps nothing then. Names are few: they are the pages' own."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(blocking=False):
            kept = self._kept.get(name)
            if kept is not None:
                return cast("T", kept.value)
            lock.acquire()
        try:
            return cast("T", self._current(name, ask).value)
        finally:
            lock.release()

    def _current(self, name: str, ask: Callable[[], Any]) -> _Kept:
        began = self._timer()
        kept = self._kept.get(name)
        if kept is None or kept.until <= began:
            value = ask()
            ended = self._timer()
            lasts = min(MOST, max(LEAST, TIMES * (ended - began)))
            kept = self._kept[name] = _Kept(value, ended + lasts)
        return kept

    def forget(self, name: str) -> None:
        """The next who asks is given a new answer: something was done."""
        self._kept.pop(name, None)
