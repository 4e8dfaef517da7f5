"""Ending on a signal: at once, while there is nothing to finish, or when a step is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ...core.stop_signals import Stop, Terminated
from .exits import INTERRUPTED, OK


def as_usual() -> None:
    """Undo what whoever started this process has left to it: with SIGCHLD ignored nobody can wait for a child, and a
    blocked SIGTERM would never come."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT})


def end_on_sigterm() -> None:
    """Let SIGTERM end this command with exit code 0, wherever it is."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, end)


def exit_code(number: int) -> int:
    """The exit code of a command that was ended by a signal as it should be."""
    return INTERRUPTED if number == signal.SIGINT else OK


class _Once(Stop):
    """Notes one signal; the next ends this process, wherever it is."""

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        super()._on_signal(number, frame)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def between_steps() -> Iterator[Stop]:
    """Work in steps: a signal is heard between two of them. A second one ends the command at once."""
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield _Once()
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
