"""What becomes of what fails in lanes in memory."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest

from consumers.lanes.gated_handlers import Gates, in_threads, loose, offsets, step_until
from consumers.pipeline import Placed, Play, placed
from oyez.consumers import NotReady, Reject, RetryAfter
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database
from oyez.consumers.execution.broken_deploy import HandlersBroken
from oyez.consumers.instrumentation import Instrument
from oyez.consumers.instrumentation.events import InstrumentationEvent, LanesSeen

MANY = 120

ENDS: dict[str, BaseException] = {
    "fails": ValueError("no"),
    "later": RetryAfter(5.0),
    "not ready": NotReady(),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("is_async", [False, True])
def test_what_does_not_succeed_is_parked_and_tried_again(lanes: Play, how: str, is_async: bool) -> None:
    on, done = loose(), list[int]()
    failing = {3, 7}

    def act(event: Placed) -> None:
        if event.n in failing:
            raise ENDS[how]
        done.append(event.n)

    if is_async:

        @on(Placed, group="loose", concurrency=4)
        async def handle(event: Placed) -> None:
            await asyncio.sleep(0)
            act(event)
    else:
        on(Placed, group="loose", concurrency=4)(act)
    pipeline = lanes(on)
    pipeline.announce(*placed(range(20)))
    step_until(pipeline, lambda: offsets(pipeline) == [20])
    assert sorted(n for _, n, _ in pipeline.parked()) == [3, 7]
    failing.clear()
    pipeline.later()
    assert sorted(done) == list(range(20))
    assert pipeline.is_clean()


def test_what_is_rejected_is_dead_and_counts_as_handled(play: Play) -> None:
    on = loose()

    @on(Placed, group="loose")
    async def handle(event: Placed) -> None:
        if event.n == 2:
            raise Reject("never")

    pipeline = play(on)
    pipeline.announce(*placed(range(4)))
    step_until(pipeline, lambda: offsets(pipeline) == [4])
    assert pipeline.dead() == [("handle", 2, "rejected by its handler")]
    tally = pipeline.workers["shop.loose"].tally
    assert (tally.events, tally.handled, tally.done, tally.dead) == (4, 4, 3, 1)


def test_where_nearly_everything_fails_alike_nothing_is_parked(play: Play) -> None:
    on, tried = loose(), Counter[int]()
    broken = True

    @on(Placed, group="loose", concurrency=8)
    async def handle(event: Placed) -> None:
        tried[event.n] += 1
        if broken:
            raise TypeError("a deploy")

    pipeline = play(on)
    pipeline.announce(*placed(range(MANY)))
    (worker,) = pipeline.workers.values()

    def repaired(_count: int) -> None:
        nonlocal broken
        if max(tried.values()) > 1:
            broken = False

    pipeline.clock.on_sleep = repaired
    step_until(pipeline, lambda: offsets(pipeline) == [MANY])
    assert set(tried) == set(range(MANY))
    assert max(tried.values()) > 1
    assert worker.tally.parked == 0
    assert worker.tally.done == MANY
    assert pipeline.is_clean()


def test_a_stop_while_handlers_are_broken_commits_nothing_of_them(play: Play) -> None:
    on = loose()

    @on(Placed, group="loose", concurrency=8)
    async def handle(event: Placed) -> None:
        raise TypeError("a deploy")

    pipeline = play(on)
    pipeline.announce(*placed(range(MANY)))
    (worker,) = pipeline.workers.values()

    def step_on() -> None:
        while True:
            worker.step(lambda: pipeline.clock.sleeps > 0)

    with pytest.raises(HandlersBroken):
        step_on()
    assert offsets(pipeline) in ([], [0])
    assert pipeline.is_clean()


def test_one_that_takes_too_long_is_cancelled_or_given_up(lanes: Play) -> None:
    on, cancelled = loose(), list[int]()
    hang, hung = threading.Event(), list[int]()

    @on(Placed, group="loose", concurrency=2, timeout=0.05, name="slow")
    async def awaited_slow(event: Placed) -> None:
        try:
            await asyncio.sleep(60 if event.n == 1 and not cancelled else 0)
        except asyncio.CancelledError:
            cancelled.append(event.n)
            raise

    @on(Placed, group="loose", concurrency=2, timeout=5)
    def hangs(event: Placed) -> None:
        if event.n == 2 and not hung:
            hung.append(event.n)
            hang.wait(60)

    pipeline = lanes(on)
    pipeline.announce(*placed(range(6)))
    step_until(pipeline, lambda: offsets(pipeline) == [6])
    assert (cancelled, hung) == ([1], [2])
    tally = pipeline.workers["shop.loose"].tally
    assert tally.parked == 2
    said = " ".join(tally.faults.lines())
    assert "slow" in said
    assert "hangs" in said
    assert "TimedOut: took longer than its timeout of 5 s" in said
    pipeline.later()
    assert pipeline.is_clean()
    hang.set()


def test_what_is_paused_is_parked_and_runs_when_it_goes_on(lanes: Play) -> None:
    on, done = loose(), list[int]()

    @on(Placed, group="loose", concurrency=4)
    async def handle(event: Placed) -> None:
        done.append(event.n)

    pipeline = lanes(on)
    pausing = Pausing(pipeline.application, Database(pipeline.engine), pipeline.clock, 86_400.0)
    assert pausing.pause(pausing.scope("handle", "k1"), "me@here", None)
    pipeline.announce(*placed(range(4)))
    step_until(pipeline, lambda: offsets(pipeline) == [4])
    assert sorted(done) == [0, 2, 3]
    assert [n for _, n, _ in pipeline.parked()] == [1]
    assert pausing.resume(pausing.paused("handle", "k1"))
    pipeline.later()
    assert sorted(done) == [0, 1, 2, 3]
    assert pipeline.is_clean()


def test_an_event_that_workers_have_died_on_runs_with_nothing_beside_it(play: Play) -> None:
    on, ended, inside, most = loose(), list[int](), set[int](), list[int]()

    @on(Placed, group="loose", concurrency=4)
    async def handle(event: Placed) -> None:
        inside.add(event.n)
        most.append(len(inside))
        await asyncio.sleep(0.02)
        inside.remove(event.n)
        ended.append(event.n)

    pipeline = play(on)
    pipeline.announce(*placed(range(2)))
    step_until(pipeline, lambda: offsets(pipeline) == [2])
    most.clear()
    worker: Any = pipeline.workers["shop.loose"]
    worker._reading._alone.begin(worker._ownership.held)
    pipeline.announce(*placed(range(2, 8)))
    worker.step()
    assert ended[2:] == [2], "it has ended, and its note can go"
    step_until(pipeline, lambda: offsets(pipeline) == [8])
    assert ended[2:] == list(range(2, 8))
    assert most == [1] * 6


def test_what_it_does_is_shown(lanes: Play) -> None:
    on, gates = loose(), Gates()
    in_threads(on, gates)
    heard = Heard()
    pipeline = lanes(on, instrument=Instrument(heard))
    pipeline.announce(*placed(range(10)))
    (worker,) = pipeline.workers.values()
    worker._lanes.start(lambda: True)  # type: ignore[union-attr] # it has some
    step_until(pipeline, lambda: [one.running for one in heard.seen[-1:]] == [4])
    gates.let(*range(10))
    step_until(pipeline, lambda: [one.running for one in heard.seen[-1:]] == [0])


class Heard:
    """What was said of lanes."""

    def __init__(self) -> None:
        self.seen: list[LanesSeen] = []

    def receive(self, event: InstrumentationEvent) -> None:
        if isinstance(event, LanesSeen):
            self.seen.append(event)
