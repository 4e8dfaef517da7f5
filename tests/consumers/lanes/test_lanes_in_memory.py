"""At-least-once groups whose handlers run in lanes, on a memory log and each database."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest

from consumers.lanes.gated_handlers import BOTH, Gates, Hold, in_threads, loose, offsets, step_until
from consumers.pipeline import Opened, Placed, Play, placed


@BOTH
def test_a_slow_event_holds_only_what_is_committed(play: Play, register: Hold) -> None:
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on)
    pipeline.announce(*placed(range(20)))
    gates.let(*range(20))
    step_until(pipeline, lambda: offsets(pipeline) == [20])
    pipeline.announce(*placed(range(20, 60)))
    gates.let(*(n for n in range(20, 60) if n != 25))
    step_until(pipeline, lambda: len(gates.ended) == 59)
    step_until(pipeline, lambda: pipeline.workers["shop.loose"].tally.done == 59)
    assert offsets(pipeline) == [25]
    gates.let(25)
    step_until(pipeline, lambda: offsets(pipeline) == [60])
    assert sorted(gates.ended) == list(range(60))
    assert pipeline.workers["shop.loose"].tally.handled == 60
    assert pipeline.is_clean()


@BOTH
def test_events_of_a_key_run_one_after_another_in_their_order(play: Play, register: Hold) -> None:
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on)
    pipeline.announce(*(Placed(k=f"k{n % 3}", n=n) for n in range(30)))
    gates.let(*range(30))
    step_until(pipeline, lambda: offsets(pipeline) == [30])
    assert set(gates.most.values()) == {1}
    for rest in range(3):
        ours = [n for n in gates.begun if n % 3 == rest]
        assert ours == sorted(ours)


@BOTH
def test_so_many_run_at_once(play: Play, register: Hold) -> None:
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on)
    pipeline.announce(*placed(range(10)))
    step_until(pipeline, lambda: len(gates.begun) == 4)
    for _ in range(5):
        pipeline.workers["shop.loose"].step()
    assert sum(gates.now.values()) == 4
    gates.let(*range(10))
    step_until(pipeline, lambda: offsets(pipeline) == [10])


@BOTH
def test_what_is_under_way_is_bounded(play: Play, register: Hold) -> None:
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on, in_flight=8)
    pipeline.announce(*placed(range(40)))
    gates.let(*range(1, 40))
    step_until(pipeline, lambda: len(gates.ended) == 7)
    (worker,) = pipeline.workers.values()
    for _ in range(10):
        assert worker.step() == 0
    assert sum(worker._log.positions().values()) == 8
    gates.let(0)
    step_until(pipeline, lambda: offsets(pipeline) == [40])


def test_several_handlers_and_signals_in_one_group(play: Play) -> None:
    on, seen = loose(), Counter[str]()
    slow = threading.Event()

    @on(Placed, group="loose", concurrency=3)
    def threaded(event: Placed) -> None:
        slow.wait(60)
        seen["threaded"] += 1

    @on(Placed, group="loose")
    async def awaited_too(event: Placed) -> None:
        seen["awaited"] += 1

    @on(Placed, group="loose")
    def in_place(event: Placed) -> None:
        if event.n == 1:
            raise ValueError
        seen["in place"] += 1

    @on(Opened, group="loose")
    def opened(events: list[Opened]) -> None:
        seen["opened"] += len(events)

    pipeline = play(on)
    pipeline.announce(*placed(range(5)), *(Opened(n=n) for n in range(5)))
    step_until(pipeline, lambda: seen["awaited"] == 5 and seen["in place"] == 4 and seen["opened"] == 5)
    assert offsets(pipeline) in ([], [0])
    assert [n for _, n, _ in pipeline.parked()] == [1]
    slow.set()
    step_until(pipeline, lambda: offsets(pipeline) == [10])
    tally = pipeline.workers["shop.loose"].tally
    assert (tally.events, tally.done, tally.parked, tally.handled) == (10, 19, 1, 9)


def test_a_partition_that_is_lost_is_committed_as_far_as_it_was_done(play: Play) -> None:
    on, gates = loose(), Gates()
    in_threads(on, gates)
    pipeline = play(on)
    pipeline.announce(*placed(range(10)))
    gates.let(0, 1, 2)
    step_until(pipeline, lambda: offsets(pipeline) == [3])
    other = pipeline.replace("shop.loose")
    assert offsets(pipeline) == [3]
    gates.let(*range(10))
    step_until(pipeline, lambda: offsets(pipeline) == [10])
    assert set(gates.ended) == set(range(10))
    assert {n for n in gates.ended if gates.ended.count(n) > 1} <= set(range(3, 10))
    assert other.tally.done == 7


def test_a_stop_lets_finish_what_runs_and_begins_nothing_more(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, gates = loose(), Gates()
    in_threads(on, gates)
    pipeline = play(on)
    pipeline.announce(*placed(range(10)))
    gates.let(1)
    step_until(pipeline, lambda: sorted(gates.begun) == [0, 1, 2, 3, 4])
    (worker,) = pipeline.workers.values()
    reading, stop = worker.reading, worker.reading.stop

    def stopped() -> None:
        stop()
        gates.let(*range(10))

    monkeypatch.setattr(reading, "stop", stopped)
    worker.finish()
    assert sorted(gates.ended) == [0, 1, 2, 3, 4]
    assert offsets(pipeline) == [5]


def test_what_does_not_finish_in_time_is_cancelled_and_read_again(play: Play) -> None:
    on, ended = loose(), list[int]()

    @on(Placed, group="loose", concurrency=4)
    async def handle(event: Placed) -> None:
        try:
            await asyncio.sleep(0 if event.n < 2 else 60)
        finally:
            ended.append(event.n)

    pipeline = play(on, grace=0)
    pipeline.announce(*placed(range(6)))
    step_until(pipeline, lambda: offsets(pipeline) == [2])
    (worker,) = pipeline.workers.values()
    worker.finish()
    assert sorted(ended) == [0, 1, 2, 3, 4, 5]
    assert offsets(pipeline) == [2]
    assert pipeline.is_clean()
