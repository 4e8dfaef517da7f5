"""Ending on a signal at once, while there is nothing to finish."""

from __future__ import annotations

import signal
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
