"""A worker that rests, since one of its lanes wants quiet."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.partitions.test_outages_after_a_batch import Outage
from consumers.pipeline import Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.instrumentation.emitter import logging_instrument
from oyez.consumers.lanes.lanes import Lanes
from oyez.consumers.worker.retry_loop import RetryLoop

GROUP = "shop.placed"


def lanes_at_rest() -> Lanes:
    """Lanes in which nothing runs, and that want quiet."""
    lanes = Lanes(lambda _: [], RetryLoop(GROUP, logging_instrument()), group=GROUP, grace=0.0)
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
