"""What a worker tells of its clocks."""

from __future__ import annotations

from typing import cast

import pytest
from sqlalchemy import Connection

from oyez.consumers.database.clock import DatabaseClock
from oyez.consumers.instrumentation import InstrumentationEvent, events
from oyez.consumers.worker.clock_watch import ClockWatch

NOBODY = cast("Connection", None)  # who is asked here needs no connection
DAY = 86_400.0


class Sweeps:
    """A worker's sweeps, every five seconds, with clocks that can be set."""

    def __init__(self) -> None:
        self.true, self.wall, self.database = 1e9, 0.0, 0.0
        self.told: list[InstrumentationEvent] = []
        self.clock = DatabaseClock(
            lambda _db: self.true + self.database,
            timer=lambda: self.true,
            wall=lambda: self.true + self.wall,
        )
        self._watch = ClockWatch("shop", self.clock, 300.0, self.told.append)

    def sweep(self, times: int = 1) -> list[InstrumentationEvent]:
        """What is told in so many sweeps, the skew apart."""
        self.told.clear()
        for _ in range(times):
            self.true += 5.0
            self.clock(NOBODY)
            self._watch()
        return [one for one in self.told if not isinstance(one, events.ClockCompared)]


def test_the_skew_is_told_in_each_sweep_and_complained_of_once() -> None:
    sweeps = Sweeps()
    sweeps.wall = 299.0
    assert sweeps.sweep(3) == []
    assert sweeps.told == [events.ClockCompared("shop", pytest.approx(299.0))] * 3
    sweeps.wall = -301.0
    assert sweeps.sweep(3) == [events.ClockOff("shop", pytest.approx(-301.0))]
    sweeps.wall = 0.0
    assert sweeps.sweep(3) == [events.ClockRight("shop", pytest.approx(0.0))]


def test_a_leap_of_the_databases_clock_is_told_when_it_begins_and_ends() -> None:
    sweeps = Sweeps()
    assert sweeps.sweep(2) == []
    sweeps.database = sweeps.wall = 2 * DAY
    assert sweeps.sweep(3) == [events.DatabaseClockLeapt("shop", pytest.approx(2 * DAY))]
    sweeps.database = sweeps.wall = 0.0
    assert sweeps.sweep(3) == [events.DatabaseClockBelieved("shop")]
    sweeps.database = sweeps.wall = -2 * DAY
    assert sweeps.sweep(3) == [events.DatabaseClockLeapt("shop", pytest.approx(-2 * DAY))]
    assert sweeps.sweep(120) == [events.DatabaseClockBelieved("shop")]
