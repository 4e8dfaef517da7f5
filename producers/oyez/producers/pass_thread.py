"""A thread of its own for what is done in passes: something is looked for and done, whenever there may be something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .forks import call_in_child
from .loggers import logger_named

log = logger_named("oyez.threads")


class Next(NamedTuple):
    """What follows a pass: ``pause``, seconds before the next one that no waking shortens; ``is_done``, of the last
    pass, whether there is nothing more to do; ``within``, seconds after which there is one though nobody wakes it."""

    pause: float = 0.0
    is_done: bool = True
    within: float | None = None


class Passes(Protocol):
    """What is done in the thread, pass by pass."""

    def run(self, stop: Callable[[], bool], is_last: bool, /) -> Next:
        """One pass, which ends early when ``stop()``. Raises nothing: the thread would end."""

    def close(self) -> None:
        """Let go of what was needed for it."""


class PassThread:
    """Does passes as long as its process lives, from the first time on that it is woken. A forked child begins anew."""

    def __init__(self, name: str, make: Callable[[], Passes], *, every: float | None = None) -> None:
        """``make`` is called in the thread. ``every``: seconds after which there is a pass though nobody has woken it;
        None: only when it is woken."""
        self._name = name
        self._make = make
        self._every = every
        self._begin()
        call_in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._finishing = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_missed = False

    def wake(self) -> str | None:
        """There may be something to do. Never blocks. Returns why nobody does it, where the system has no more threads;
        who wakes it next tries again."""
        if not self._woken.is_set():
            self._woken.set()
        return self._start() if self._thread is None else None

    def finish(self, timeout: float) -> None:
        """Do what can be done in so many seconds, and end."""
        self._finishing.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._stopping.set()

    def _start(self) -> str | None:
        with self._lock:
            if self._thread is None and not self._finishing.is_set():
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    return self._missed(error)
                self._thread, self._is_missed = thread, False
        return None

    def _missed(self, error: RuntimeError) -> str:
        """Said once: whoever announces may wake it for each event."""
        if not self._is_missed:
            self._is_missed = True
            log.warning("%s waits until the system has a thread for it: %s", self._name, error)
        return str(error)

    def _run(self) -> None:
        passes = self._make()
        while not self._stopping.is_set():
            # Cleared before the pass: what comes while it looks is looked for once more.
            self._woken.clear()
            is_last = self._finishing.is_set()
            following = passes.run(self._stopping.is_set, is_last)
            if is_last and following.is_done:
                break
            if following.pause:
                (self._stopping if is_last else self._finishing).wait(following.pause)
            elif not is_last:
                self._woken.wait(self._every if following.within is None else following.within)
        passes.close()
