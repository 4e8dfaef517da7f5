"""A group that is paused as a whole: its workers stay, and read and run nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers.interleavings.pausing_world import World
from oyez.consumers.handlers.recorded_handlers import rename_group
from oyez.consumers.instrumentation.emitter import Instrument
from oyez.consumers.instrumentation.events import InstrumentationEvent, LogAsked, NothingPaused, PartsPaused


class Heard:
    """Keeps what workers tell."""

    def __init__(self) -> None:
        self.all: list[InstrumentationEvent] = []

    def receive(self, event: InstrumentationEvent) -> None:
        self.all.append(event)

    def of(self, kind: type[InstrumentationEvent], group: str) -> list[InstrumentationEvent]:
        """The events of one kind and one group."""
        return [one for one in self.all if type(one) is kind and one.group == group]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def world(pipeline_database: str, heard: Heard) -> Iterator[World]:
    made = World(pipeline_database, instrument=Instrument(heard))
    yield made
    made.close()


def test_it_lags_and_says_that_it_has_nothing_to_do(world: World, heard: Heard) -> None:
    world.announce_one("placed", "k1")
    world.run()
    world.pause("shop.placed", reason="the shelf is being moved")
    for _ in range(3):
        world.announce_one("placed", "k1")
    world.later(60.0)
    worker = world.workers["shop.placed"]
    assert worker.reading.is_paused
    assert worker.lag() == 3
    asked = heard.of(LogAsked, "shop.placed")[-1]
    assert isinstance(asked, LogAsked)
    assert asked.standing == "done"
    assert len(world.logs["shop.placed"].members) == 1
    world.resume("shop.placed")
    world.run()
    assert worker.lag() == 0
    assert [n for handler, n in world.did() if handler == "first"] == [0, 1, 2, 3]


def test_pauses_are_told_when_they_change(world: World, heard: Heard) -> None:
    world.run()
    world.pause("first")
    world.run()
    world.pause(None, "k1")
    world.run()
    world.resume("first")
    world.resume(None, "k1")
    world.run()
    told = [
        one for one in heard.all if type(one) in (PartsPaused, NothingPaused) and one.group == "shop.placed"
    ]
    assert told == [
        PartsPaused("shop.placed", 1, "the handler first"),
        PartsPaused("shop.placed", 2, "the handler first; the key 'k1' of every handler"),
        NothingPaused("shop.placed"),
    ]
    assert heard.of(PartsPaused, "shop.loose") == [
        PartsPaused("shop.loose", 1, "the key 'k1' of every handler")
    ]


def test_a_worker_that_starts_finds_the_pause_before_it_reads(world: World) -> None:
    world.pause("shop.placed")
    world.announce_one("placed", "k1")
    worker = world.replace("shop.placed")
    assert worker.step() == 0
    assert not [handler for handler, _ in world.did() if handler in ("first", "second")]


def test_partitions_that_come_while_it_is_paused_are_taken(world: World) -> None:
    """And read from where they begin when it is resumed."""
    world.run()
    world.pause("shop.placed")
    world.run()
    world.broker.add_partitions("pipeline", 3)
    for key in ("k1", "k2", "k3", "k4", "k5"):
        world.announce_one("placed", key)
    world.run()
    assert len(world.workers["shop.placed"]._ownership.held) == 3
    world.resume("shop.placed")
    world.run()
    assert sorted(n for handler, n in world.did() if handler == "first") == [0, 1, 2, 3, 4]


def test_a_group_that_is_renamed_stays_paused(world: World) -> None:
    world.pause("shop.placed")
    with world.engine.begin() as db:
        rename_group(db, "shop", "shop.placed", "shop.orders")
    assert [row[1] for row in world.rows("pause")] == ["shop.orders"]
