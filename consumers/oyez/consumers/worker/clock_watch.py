"""How a worker shows what its clocks do: how far its machine's is from the database's, and whether that one leapt."""

from __future__ import annotations

from collections.abc import Callable

from ..database.clock import DatabaseClock
from ..instrumentation import events
from ..instrumentation.events import InstrumentationEvent


class ClockWatch:
    """Tells it, in each sweep: the skew, and what has changed since the last one."""

    def __init__(
        self, group: str, clock: DatabaseClock, limit: float, emit: Callable[[InstrumentationEvent], None]
    ) -> None:
        """``limit``: seconds of skew that are too much."""
        self._group = group
        self._clock = clock
        self._limit = limit
        self._emit = emit
        self._is_off = self._is_held_back = False

    def __call__(self) -> None:
        """Look at the clocks, and tell."""
        skew, leapt = self._clock.skew, self._clock.leapt
        self._emit(events.ClockCompared(self._group, skew))
        is_off, is_held_back = abs(skew) > self._limit, leapt != 0.0
        if is_off != self._is_off:
            self._emit((events.ClockOff if is_off else events.ClockRight)(self._group, skew))
        if is_held_back != self._is_held_back:
            self._emit(
                events.DatabaseClockLeapt(self._group, leapt)
                if is_held_back
                else events.DatabaseClockBelieved(self._group)
            )
        self._is_off, self._is_held_back = is_off, is_held_back


def nobody_watches() -> None:
    """For workers whose clock is given."""
