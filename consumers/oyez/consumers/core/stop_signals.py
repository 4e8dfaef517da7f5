"""What ends a process from outside, wherever it is: no error of the code that it interrupts."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from .error_groups import leaves


class Terminated(BaseException):
    """SIGTERM came where nothing has to be finished."""


STOPS = (KeyboardInterrupt, Terminated)


class Stop:
    """Notes that SIGTERM or SIGINT came, for work that is finished first.

    The note may be made between any two instructions of whoever waits for it. An `Event` would not do: `set` takes the
    lock that `wait` holds for a moment, in the same thread, and would wait for it for ever.
    """

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.number = 0
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, self._on_signal)

    def __call__(self) -> bool:
        return self.number != 0

    def wait(self, seconds: float) -> bool:
        """Wait ``seconds``, or less when a signal comes; returns whether one has come."""
        if self.number == 0:
            with suppress(queue.Empty):
                self._came.put(self._came.get(timeout=max(0.0, seconds)))  # others may wait too
        return self()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        self._came.put(number)


class Told:
    """Whether a worker was told to stop, and for how long it has been."""

    def __init__(self, stopped: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._stopped = stopped
        self._clock = clock
        self._since: float | None = None

    def __call__(self) -> bool:
        if self._since is None and self._stopped():
            self._since = self._clock()
        return self._since is not None

    def seconds(self) -> float:
        """For how many seconds; 0 if it was not told."""
        return 0.0 if not self() or self._since is None else self._clock() - self._since


def is_stop(error: BaseException) -> bool:
    """Whether an error came from outside, so that it is no error of the code that it was raised in.

    Where SIGINT is ignored (in workers) or only noted (in a pass), it raises nothing: whoever raises
    `KeyboardInterrupt` there is that code itself.
    """
    found = leaves(error)
    if any(isinstance(one, Terminated) for one in found):
        return True
    if not any(isinstance(one, KeyboardInterrupt) for one in found):
        return False
    handler = signal.getsignal(signal.SIGINT)
    return callable(handler) and not isinstance(getattr(handler, "__self__", None), Stop)


def raise_if_stop(error: BaseException) -> None:
    """Raises ``error`` again if it came from outside."""
    if is_stop(error):
        raise error
