"""Commands that do their work again and again, or answer, until a signal: each has a heartbeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from ...core.stop_signals import Stop
from ...health.keeping import kept
from ...health.pulse import Pulse
from ...settings import ListenSettings


class Daemon:
    """A `Stop` that is asked between two pieces of work, by which it is seen that these end."""

    def __init__(self, stop: Stop, pulse: Pulse) -> None:
        self._stop = stop
        self._pulse = pulse

    @property
    def number(self) -> int:
        """The signal that came; 0 if none did."""
        return self._stop.number

    def __call__(self) -> bool:
        self._pulse.get_on()
        return self._stop()

    def wait(self, seconds: float) -> bool:
        """Rest for so long, or until a signal comes; returns whether one has come."""
        self._pulse.begin("resting")
        has_come = self._stop.wait(seconds)
        self._pulse.begin("working")
        return has_come

    def trouble(self, reason: str) -> None:
        """What is in the way of its work; empty if nothing is any more."""
        self._pulse.wait_for("work", reason)


@contextmanager
def daemon(settings: ListenSettings) -> Iterator[Daemon]:
    """The heartbeat of a command that forks no workers. Raises `SettingsError`."""
    stop = Stop()
    with kept(settings.health, settings.stuck_after) as keeper, keeper.alone() as pulse:
        pulse.begin("working")
        yield Daemon(stop, pulse)


@contextmanager
def answering(settings: ListenSettings) -> Iterator[Callable[[], None]]:
    """The heartbeat of a command that answers others; what is given is to be called each time that it comes round.
    Raises `SettingsError`."""
    with kept(settings.health, settings.stuck_after) as keeper, keeper.alone() as pulse:
        yield partial(pulse.begin, "working")
