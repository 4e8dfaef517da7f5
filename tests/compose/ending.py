"""What is brought up is taken down, also by who is told to stop."""

from __future__ import annotations

import signal
from types import FrameType


def end_on_sigterm() -> None:
    """From now on SIGTERM ends this process as Ctrl-C does; once, since taking down takes its time."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
