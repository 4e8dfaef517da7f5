"""Ending on a signal: at once while there is nothing to finish, in order otherwise."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from ...core.stop_signals import Terminated
from .exits import INTERRUPTED, OK


def end_on_sigterm() -> None:
    """Let SIGTERM end this command with exit code 0, wherever it is."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, end)


def exit_code(number: int) -> int:
    """The exit code of a command that was ended by a signal as it should be."""
    return INTERRUPTED if number == signal.SIGINT else OK


class Stop:
    """Notes that SIGTERM or SIGINT came, for work that is finished first."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.number = 0
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, self._on_signal)

    def __call__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait ``seconds``, or less when a signal comes; returns whether one has come."""
        return self._event.wait(seconds)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        self._event.set()
