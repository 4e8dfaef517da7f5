"""Bounded passes over at-least-once groups whose handlers run in lanes: they end when nothing is under way."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest

from consumers.lanes.gated_handlers import loose, offsets
from consumers.pipeline import Placed, Play, placed
from consumers.run.bounded_passes import Listen
from consumers.upkeep.deploys import stopped
from oyez.consumers import Handlers
from oyez.consumers.run.listened import Listened

MANY = 60


class Slow:
    """Handlers that take a moment for each event."""

    def __init__(self) -> None:
        self.done: Counter[int] = Counter()
        self.failing: set[int] = set()

    def in_threads(self, on: Handlers) -> None:
        @on(Placed, group="loose", concurrency=4)
        def handle(event: Placed) -> None:
            threading.Event().wait(0.01)
            self._act(event.n)

    def awaited(self, on: Handlers) -> None:
        @on(Placed, group="loose", concurrency=4)
        async def handle(event: Placed) -> None:
            await asyncio.sleep(0.01)
            self._act(event.n)

    def _act(self, n: int) -> None:
        if n in self.failing:
            raise ValueError("as told")
        self.done[n] += 1


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("in_flight", [1, 8, 1000])
def test_it_waits_for_what_it_has_begun(play: Play, listen: Listen, in_flight: int, is_async: bool) -> None:
    on, slow = loose(), Slow()
    slow.awaited(on) if is_async else slow.in_threads(on)
    slow.failing = {7}
    pipeline = stopped(play(on))
    pipeline.announce(*placed(range(MANY)))
    assert listen(pipeline, 25, in_flight=in_flight) == Listened(24, MANY - 25, 1)
    assert sorted(slow.done) == [n for n in range(25) if n != 7]
    assert offsets(pipeline) == [25]
    assert listen(pipeline, 1000, in_flight=in_flight).left == 0
    assert slow.done == Counter(n for n in range(MANY) if n != 7)
    assert offsets(pipeline) == [MANY]


def test_a_group_whose_handlers_are_broken_is_left(play: Play, listen: Listen) -> None:
    on, slow = loose(), Slow()
    slow.awaited(on)
    slow.failing = set(range(200))
    pipeline = stopped(play(on))
    pipeline.announce(*placed(range(200)))
    found = listen(pipeline, 1000)
    assert "failed alike" in found.broken["shop.loose"]
    assert (found.handled, found.parked) == (0, 0)
    assert offsets(pipeline) in ([], [0])
