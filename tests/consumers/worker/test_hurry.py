"""A worker that was told to stop is hurried in time: after its lanes' grace, and before it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from oyez.consumers.core.stop_signals import Told
from oyez.consumers.instrumentation import Instrument, events
from oyez.consumers.processes.supervisor import GRACE as KILLED
from oyez.consumers.worker.hurry import Hurry


class Stopping:
    """A worker that was told to stop at 0, with a connection in use."""

    def __init__(self, engine: Engine) -> None:
        self.now = 0.0
        self.grace_ends: float | None = None
        self.aborted: list[float] = []
        self.said: list[Any] = []
        told = Told(lambda: True, lambda: self.now)
        instrument = Instrument(SimpleNamespace(receive=self.said.append))
        self._hurry = Hurry(
            "shop.placed",
            engine,
            told,
            instrument,
            grace_ends=lambda: self.grace_ends,
            timer=lambda: self.now + 1000.0,  # the two need not count from the same moment
        )
        self._hurry._dialect = SimpleNamespace(abort=lambda _connection: self.aborted.append(self.now))  # type: ignore[assignment]
        assert told()

    def stop_lanes(self, grace: float) -> None:
        """The batch in hand has ended: what runs in lanes has so long."""
        self.grace_ends = self.now + 1000.0 + grace

    def until(self, second: float) -> list[float]:
        """Time passes; returns when a connection was ended."""
        self.aborted.clear()
        while self.now < second:
            self._hurry._look()
            self.now += 0.5
        return self.aborted


@pytest.fixture
def stopping() -> Iterator[Stopping]:
    engine = create_engine("sqlite://")
    made = Stopping(engine)
    with engine.connect():
        yield made
    engine.dispose()


def test_a_batch_in_hand_is_hurried_though_there_are_lanes(stopping: Stopping) -> None:
    assert stopping.until(20.0) == [18.0, 18.5, 19.0, 19.5]
    (said,) = stopping.said
    assert isinstance(said, events.SlowToStop)
    assert said.seconds == 18.0
    assert "test_hurry.py" in said.place


@pytest.mark.parametrize("grace", [24.0, 60.0, 1e6])
def test_however_long_the_grace_is_it_is_hurried_before_it_is_killed(
    stopping: Stopping, grace: float
) -> None:
    stopping.stop_lanes(grace)
    assert stopping.until(KILLED)[0] == KILLED - 3.0


def test_lanes_have_their_grace_from_the_end_of_the_batch(stopping: Stopping) -> None:
    assert stopping.until(10.0) == []
    stopping.stop_lanes(10.0)
    assert stopping.until(KILLED)[0] == 10.0 + 10.0 + 6.0


def test_a_short_grace_takes_no_time_from_the_others(stopping: Stopping) -> None:
    stopping.stop_lanes(1.0)
    assert stopping.until(KILLED)[0] == 18.0


def test_lanes_whose_worker_had_to_be_hurried_have_their_grace_still(stopping: Stopping) -> None:
    assert stopping.until(19.0)
    stopping.stop_lanes(2.0)
    assert stopping.until(KILLED)[0] == 27.0
    assert len(stopping.said) == 1
