"""Limits of concurrent handlers: what may be asked for; a rate that all workers share; so many of a key."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.handlers.registering import refused, registered, takes_model
from consumers.lanes.lane_pipeline import LanePipeline
from consumers.pipeline import Pipeline, Placed, Play, one_line
from oyez.consumers import Application, Handlers, StartError
from oyez.consumers.database.tables import handler as handlers
from oyez.consumers.handlers.limits import Limit
from oyez.consumers.lanes.choosing import Choosing
from oyez.consumers.lanes.unit import Busy, Room
from support.waiting import eventually

ALL = Room(100, 1)


def waiting(make: Play, count: int, keys: int, **said: Any) -> Pipeline:
    """A pipeline in which so many events wait for a lane."""
    on = Handlers("shop")

    @on(Placed, concurrency=10, **said)
    def noted(event: Placed) -> None: ...

    pipeline = make(on)
    pipeline.announce(*[Placed(k=f"k{n % keys}", n=n) for n in range(count)])
    eventually(lambda: pipeline.workers["shop.placed"].step() == count)
    return pipeline


def choosing(pipeline: Pipeline) -> Choosing:
    lanes: Any = pipeline.workers["shop.placed"]._lanes
    lanes._begin()
    found: Choosing = lanes._dispatchers[0].choosing
    return found


def test_what_may_be_asked_for() -> None:
    said: Any = {"rate": "90/min", "per_key": 2}
    assert registered(takes_model, concurrency=5, order="none", limits=said).limit == Limit(2, 1.5)
    assert registered(takes_model, concurrency=5, limits={"per_key": 1}).limit == Limit(1, None)
    assert registered(takes_model, concurrency=5).limit == Limit()


@pytest.mark.parametrize(
    ("limits", "parts"),
    [
        (3, ["limits is 3", "per_key", "rate"]),
        ({"speed": 3}, ["limits is", "per_key", "rate"]),
        ({"rate": "0/s"}, ["rate is '0/s'", "100/s"]),
        ({"rate": 5}, ["rate is 5", "100/s"]),
        ({"per_key": 0}, ["per_key is 0", "1 or more"]),
        ({"per_key": True}, ["per_key is True"]),
        ({"per_key": 2}, ["per_key is 2", "order='none'"]),
    ],
)
def test_what_is_refused(limits: Any, parts: list[str]) -> None:
    refused(takes_model, *parts, concurrency=5, limits=limits)


def test_limits_are_for_lanes() -> None:
    refused(takes_model, "limits=", "concurrency=", limits={"per_key": 1})


def test_lanes_in_memory_have_no_rate() -> None:
    on = Handlers("shop", promises={"placed": "at-least-once"})
    on(Placed, concurrency=5, order="none", limits={"rate": "1/s"})(takes_model)
    with pytest.raises(StartError) as caught:
        Application(on)
    one_line(caught.value, "at-least-once", "limits rate")


def test_a_rate(lanes: Play) -> None:
    pipeline = waiting(lanes, 40, 40, limits={"rate": "10/s"})
    chosen = choosing(pipeline).choose(Busy(), ALL)
    assert len(chosen.units) == 10
    busy = Busy.of(chosen.units)
    none = choosing(pipeline).choose(busy, ALL)
    assert (list(none.units), none.again_in) == ([], pytest.approx(0.1))
    pipeline.clock.now += 0.5
    assert len(choosing(pipeline).choose(busy, ALL).units) == 5
    pipeline.clock.now += 100.0
    assert len(choosing(pipeline).choose(busy, ALL).units) == 10, "no more than a second's is saved up"


def test_workers_share_it(lanes: Play) -> None:
    pipeline = waiting(lanes, 40, 40, limits={"rate": "10/s"})
    assert isinstance(pipeline, LanePipeline)
    first = choosing(pipeline).choose(Busy(), Room(6, 1)).units
    pipeline.replace("shop.placed")
    second = choosing(pipeline).choose(Busy.of(first), ALL).units
    assert (len(first), len(second)) == (6, 4)
    with pipeline.engine.connect() as db:
        assert db.execute(handlers.select()).one().tokens == pytest.approx(0.0)


def test_everything_is_handled_at_its_rate(lanes: Play) -> None:
    pipeline = waiting(lanes, 12, 3, limits={"rate": "2/s"})
    for _ in range(12):
        pipeline.clock.now += 1.0
        pipeline.run()
    assert pipeline.is_clean()


def test_so_many_of_a_key(lanes: Play) -> None:
    pipeline = waiting(lanes, 12, 3, order="none", limits={"per_key": 2})
    room = Room(100, 1, per_key=2)
    first = choosing(pipeline).choose(Busy(), room).units
    assert sorted(key for unit in first for key in unit.loose) == ["k0", "k0", "k1", "k1", "k2", "k2"]
    assert not choosing(pipeline).choose(Busy.of(first), room).units
    assert len(choosing(pipeline).choose(Busy.of(first[1:]), room).units) == 1
