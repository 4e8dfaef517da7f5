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


class _Kept(NamedTuple):
    value: Any
    until: float


class Recent:
    """Keeps answers by name. However many ask, one at a time looks for an answer, and the others get the same: so all
    viewers together take at most a tenth of one connection's time for each question."""

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
        with lock:
            began = self._timer()
            kept = self._kept.get(name)
            if kept is None or kept.until <= began:
                value = ask()
                ended = self._timer()
                kept = self._kept[name] = _Kept(value, ended + max(LEAST, TIMES * (ended - began)))
            return cast("T", kept.value)

    def forget(self, name: str) -> None:
        """The next who asks is given a new answer: something was done."""
        self._kept.pop(name, None)
