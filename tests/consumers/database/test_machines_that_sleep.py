"""A machine was suspended, and goes on: the time that has passed meanwhile is no leap of the database's clock."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from oyez.consumers.database import Database, clock
from oyez.consumers.database.clock import FRESH, DatabaseClock, sleep_counting
from oyez.consumers.logs.spool.members import Members
from oyez.consumers.outbox.lease import RowLease

NOBODY = cast("Connection", None)  # no connection is needed by what is asked here
DAY = 86_400.0

pytestmark = pytest.mark.skipif(
    not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux has the clock that is set here"
)


class FakedKernel:
    """The clocks of a machine that is made to sleep: Linux's, of which one goes on meanwhile. Nobody can suspend the
    machine that runs tests."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.awake = self.asleep = 1_000.0
        clocks = {
            time.CLOCK_BOOTTIME: lambda: self.awake + self.asleep,
            time.CLOCK_MONOTONIC: lambda: self.awake,
        }
        patch.setattr(time, "clock_gettime", lambda which: clocks[which]())
        patch.setattr(time, "monotonic", lambda: self.awake)

    @property
    def true(self) -> float:
        return 1_000_000_000.0 + self.awake + self.asleep


@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 30 * DAY)), min_size=1, max_size=10))
def test_whoever_slept_believes_the_database(spells: list[tuple[float, float]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kernel = FakedKernel(patch)
        believed = DatabaseClock(lambda _: kernel.true, wall=lambda: kernel.true)
        believed(NOBODY)
        for awake, asleep in spells:
            kernel.awake += awake
            kernel.asleep += asleep
            assert believed(NOBODY) == pytest.approx(kernel.true, abs=1e-3)
            assert believed.leapt == 0.0


def test_a_clock_that_leaps_while_the_machine_is_awake_is_held_back_as_before(monkeypatch: Any) -> None:
    kernel = FakedKernel(monkeypatch)
    ahead = [0.0]
    believed = DatabaseClock(lambda _: kernel.true + ahead[0], wall=lambda: kernel.true)
    believed(NOBODY)
    kernel.asleep += DAY
    believed(NOBODY)
    kernel.awake, ahead[0] = kernel.awake + 2 * FRESH, 2 * DAY
    assert believed(NOBODY) == pytest.approx(kernel.true)
    assert believed.leapt == pytest.approx(2 * DAY)


def test_where_no_clock_counts_sleep_the_usual_one_is_read(monkeypatch: Any) -> None:
    kernel = FakedKernel(monkeypatch)
    monkeypatch.setattr(clock, "_CLOCK", None)
    assert sleep_counting() == kernel.awake


def test_a_member_that_slept_says_at_once_that_it_lives(monkeypatch: Any, pipeline_database: str) -> None:
    """The others have dealt its folders among them: it must know, before it reads on."""
    kernel = FakedKernel(monkeypatch)
    engine = create_engine(pipeline_database)
    member, other = (Members(Database(engine), "shop.placed", name, lambda _: kernel.true) for name in "ab")
    member.all()
    kernel.asleep += DAY
    assert other.all() == ["b"]
    member.all()
    assert other.others() == ["a"]
    engine.dispose()


def test_a_relay_that_slept_asks_whether_it_still_is_the_one(
    monkeypatch: Any, pipeline_database: str
) -> None:
    kernel = FakedKernel(monkeypatch)
    engine = create_engine(pipeline_database)
    lease, other = (RowLease(Database(engine), name, lambda _: kernel.true) for name in "ab")
    assert lease.take()
    kernel.asleep += DAY
    assert other.take()
    assert not lease.take()
    engine.dispose()
