"""The clock that all processes of a database share: no other decides, and one that leaps is not believed at once."""

from __future__ import annotations

import time
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from oyez.consumers.database import Database, make_engine
from oyez.consumers.database.clock import FRESH, LEAP, SETTLED, DatabaseClock, moment

DAY = 86_400.0
LEAPS = st.floats(-30 * DAY, 30 * DAY)
SWEEP = 5.0  # s; a worker asks at least that often
NOBODY = cast("Connection", None)  # no connection is needed by what is asked here


class Clocks:
    """The true time, the database's clock, and a machine's wall clock and timer; each may leap away from it."""

    def __init__(self) -> None:
        self.true = 1_000_000_000.0
        self.database = self.wall = self.timer = 0.0  # how far each is ahead of the true time
        self.asked = 0
        self.clock = DatabaseClock(
            self._ask, timer=lambda: self.true + self.timer, wall=lambda: self.true + self.wall
        )

    def _ask(self, _db: Connection) -> float:
        self.asked += 1
        return self.true + self.database

    @property
    def error(self) -> float:
        """By how many seconds what is believed is ahead of the true time."""
        return self.clock(NOBODY) - self.true


@given(st.lists(st.tuples(LEAPS, LEAPS, st.floats(0.0, SWEEP)), max_size=30))
def test_what_the_machines_own_clocks_do_decides_nothing(leaps: list[tuple[float, float, float]]) -> None:
    clocks = Clocks()
    assert clocks.error == 0.0
    for wall, timer, seconds in leaps:
        clocks.true += seconds
        clocks.wall, clocks.timer = wall, timer
        assert -SWEEP <= clocks.error <= FRESH


@given(LEAPS, st.lists(st.floats(0.01, SWEEP), min_size=1, max_size=100))
def test_a_leap_of_the_databases_clock_that_is_taken_back_was_none(leap: float, looks: list[float]) -> None:
    clocks = Clocks()
    assert clocks.error == 0.0
    clocks.database = leap
    for seconds in looks:
        clocks.true += seconds
        assert abs(clocks.error) <= LEAP + FRESH
    clocks.database = 0.0
    for seconds in (FRESH, 1_000.0, 1_000.0):
        clocks.true += seconds
        assert abs(clocks.error) <= LEAP + FRESH
    assert clocks.clock.leapt == 0.0


@given(LEAPS, st.floats(FRESH, 300.0))
def test_a_leap_that_stays_is_believed_after_ten_minutes(leap: float, between: float) -> None:
    clocks = Clocks()
    assert clocks.error == 0.0
    clocks.database = leap
    for _ in range(int(SETTLED / between) + 3):
        clocks.true += between
        error = clocks.error
    assert error == pytest.approx(leap, abs=1e-3)
    assert clocks.clock.leapt == 0.0


def test_a_leap_is_shown_as_long_as_it_is_not_believed() -> None:
    clocks = Clocks()
    assert clocks.error == 0.0
    clocks.true, clocks.database = clocks.true + 5.0, 2 * DAY
    assert clocks.error == pytest.approx(0.0)
    assert clocks.clock.leapt == pytest.approx(2 * DAY)


@given(st.floats(FRESH, 30 * DAY), st.sampled_from(["before", "after"]))
def test_a_process_that_was_frozen_believes_the_database(seconds: float, when: str) -> None:
    """Also when it was frozen just after the answer had come: then it is late by that, for a second."""
    clocks = Clocks()
    assert clocks.error == 0.0
    if when == "after":
        _freeze_after_the_answer(clocks, seconds)
        assert -seconds - 1e-3 <= clocks.error <= 0.0
        clocks.true += FRESH
    else:
        clocks.true += seconds
    assert clocks.error == pytest.approx(0.0, abs=1e-3)


def _freeze_after_the_answer(clocks: Clocks, seconds: float) -> None:
    ask, clocks.true = clocks._ask, clocks.true + FRESH

    def frozen(db: Connection) -> float:
        said = ask(db)
        clocks.true += seconds
        return said

    clocks.clock._ask = frozen
    clocks.clock(NOBODY)
    clocks.clock._ask = ask


def test_it_is_asked_once_a_second_at_most() -> None:
    clocks = Clocks()
    for _ in range(100):
        clocks.true += 0.05
        assert abs(clocks.error) < 1e-3
    assert 5 <= clocks.asked <= 6


@given(LEAPS)
def test_how_far_the_machines_clock_is_from_it_is_measured(skew: float) -> None:
    clocks = Clocks()
    clocks.wall = skew
    assert clocks.error == 0.0
    assert clocks.clock.skew == pytest.approx(skew, abs=1e-3)


def test_each_database_says_what_time_it_is(pipeline_database: str) -> None:
    engine = make_engine(pipeline_database)
    before = time.time()
    found = moment(Database(engine), DatabaseClock())
    engine.dispose()
    assert before - 60.0 < found < time.time() + 60.0
