"""A worker that rests, since one of its lanes wants quiet."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.lanes.gated_handlers import BOTH, Gates, Hold, loose, offsets, step_until
from consumers.partitions.test_outages_after_a_batch import Outage
from consumers.pipeline import Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.consumers.instrumentation.emitter import logging_instrument
from oyez.consumers.lanes.lanes import Lanes
from oyez.consumers.worker.retry_loop import RetryLoop

GROUP = "shop.placed"


def lanes_at_rest(group: str = GROUP) -> Lanes:
    """Lanes in which nothing runs, and that want quiet."""
    lanes = Lanes(lambda _: [], RetryLoop(group, logging_instrument()), group=group, grace=0.0)
    assert lanes._quiet.take()
    return lanes


def test_the_database_may_go_away_meanwhile(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    pipeline = play(on)
    pipeline.announce(Placed(n=1))
    worker = pipeline.workers[GROUP]
    worker._lanes = lanes = lanes_at_rest()
    outage = Outage(pipeline)
    outage.begin()
    assert worker.step() == 0
    assert outage.refused > 0
    assert len(worker._ownership.held) == 1, "it takes what it is dealt, and reads nothing"
    assert not pipeline.effects()
    lanes._quiet.give_back()
    pipeline.run()
    assert pipeline.effects() == [1]


@BOTH
def test_what_runs_in_memory_ends_first_and_what_waits_is_kept(play: Play, register: Hold) -> None:
    """Only then is what runs alone really alone."""
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on)
    pipeline.announce(*placed(range(8)))
    step_until(pipeline, lambda: len(gates.begun) == 4)
    worker = pipeline.workers["shop.loose"]
    worker._lanes = lanes = lanes_at_rest("shop.loose")
    step_until(pipeline, lambda: worker.reading.is_under_way)
    assert not lanes._quiet.is_worker_at_rest(), "four still run"
    gates.let(0, 1, 2)
    step_until(pipeline, lambda: offsets(pipeline) == [3])
    assert not lanes._quiet.is_worker_at_rest(), "one still runs"
    gates.let(*range(3, 8))
    step_until(pipeline, lanes._quiet.is_worker_at_rest)
    assert sorted(gates.ended) == [0, 1, 2, 3], "what had not begun waits"
    assert offsets(pipeline) == [4], "what has ended is settled meanwhile"
    lanes._quiet.give_back()
    step_until(pipeline, lambda: offsets(pipeline) == [8])


def test_time_limits_and_failures_in_memory_do_not_wait(play: Play) -> None:
    on, gates = loose(), Gates()

    @on(Placed, group="loose", concurrency=4, timeout=10)
    def hold(event: Placed) -> None:
        gates.enter(event)
        gates.wait(event.n)
        raise ValueError

    pipeline = play(on)
    pipeline.announce(*placed(range(2)))
    step_until(pipeline, lambda: len(gates.begun) == 2)
    worker = pipeline.workers["shop.loose"]
    worker._lanes = lanes = lanes_at_rest("shop.loose")
    gates.let(0)
    step_until(pipeline, lambda: len(pipeline.parked()) == 2)
    assert sorted(why.split(":")[0] for _, _, why in pipeline.parked()) == ["TimedOut", "ValueError"]
    step_until(pipeline, lanes._quiet.is_worker_at_rest)
    gates.let(1)
