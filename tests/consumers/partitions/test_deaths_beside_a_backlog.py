"""An event kills its workers, while another partition of theirs has much to do: the event is found all the same."""

from __future__ import annotations

import random

import pytest

from consumers.partitions.moved_positions import alter
from consumers.partitions.test_dying_workers import GROUP, KILLED, Killed, shop
from consumers.pipeline import Pipeline, Placed, Play
from oyez.consumers import Handlers
from oyez.consumers.database.positions import Partition
from oyez.consumers.worker.worker import Worker
from oyez.producers import MemoryBroker
from oyez.producers.partitioning import partition_of

POISON = -1
BATCH = 5


def key_in(partition: int, of: int = 2) -> str:
    return next(f"k{n}" for n in range(99) if partition_of(f"k{n}".encode(), of) == partition)


def place(pipeline: Pipeline, partition: int, *numbers: int) -> None:
    pipeline.announce(*(Placed(k=key_in(partition), n=n) for n in numbers))


def careful_worker(play: Play) -> tuple[Pipeline, Worker, Partition]:
    """A worker of two partitions that begins to be careful in the one numbered 1."""
    pipeline = play(shop(), broker=MemoryBroker(partitions=2), batch=BATCH)
    pipeline.run()
    worker = pipeline.workers[GROUP]
    careful = next(p for p in worker._ownership.held if p.number == 1)
    worker._reading._alone.begin([careful])
    return pipeline, worker, careful


def lived(pipeline: Pipeline, busy: int, most: int = 16) -> tuple[int, int]:
    """Run the group with a new worker after each death, each with so many new events in partition 0; the number of
    deaths, and of those events."""
    for deaths in range(most):
        place(pipeline, 0, *range(100 + deaths * busy, 100 + (deaths + 1) * busy))
        try:
            pipeline.run()
        except Killed:
            pipeline.replace(GROUP)
        else:
            return deaths, (deaths + 1) * busy
    raise AssertionError("its workers never got through")


@pytest.mark.parametrize("busy", [0, 3, 12, 40])
def test_it_is_found_however_much_there_is_beside_it(play: Play, busy: int) -> None:
    pipeline = play(shop(POISON), broker=MemoryBroker(partitions=2), batch=BATCH)
    place(pipeline, 1, POISON, 0, 1, 2)
    deaths, others = lived(pipeline, busy)
    assert pipeline.dead() == [("place", POISON, KILLED)]
    assert sorted(pipeline.effects()) == [0, 1, 2, *range(100, 100 + others)]
    assert deaths <= 7, "three or four together, three alone"


@pytest.mark.parametrize("busy", [0, 12])
def test_an_at_least_once_group_finds_it_too(play: Play, busy: int) -> None:
    on = Handlers("shop", promises={"placed": "at-least-once"})
    seen: list[int] = []

    @on(Placed, name="place")
    def place_it(event: Placed) -> None:
        if event.n == POISON:
            raise Killed
        seen.append(event.n)

    pipeline = play(on, broker=MemoryBroker(partitions=2), batch=BATCH)
    place(pipeline, 1, POISON, 0, 1, 2)
    deaths, others = lived(pipeline, busy)
    assert pipeline.dead() == [("place", POISON, KILLED)]
    assert set(seen) == {0, 1, 2, *range(100, 100 + others)}
    assert deaths <= 7


@pytest.mark.parametrize("seed", range(4))
def test_each_that_kills_is_found_wherever_it_is_and_nobody_else_is_given_up(play: Play, seed: int) -> None:
    dice = random.Random(seed)
    numbers = range(60)
    poison = set(dice.sample(numbers, 3))
    pipeline = play(shop(*poison), broker=MemoryBroker(partitions=3), batch=BATCH)
    left = [Placed(k=key_in(dice.randrange(3), of=3), n=n) for n in numbers]
    for _ in range(40):
        some = dice.randrange(12)
        pipeline.announce(*left[:some])
        left = left[some:]
        try:
            pipeline.run()
        except Killed:
            pipeline.replace(GROUP)
    assert sorted(n for _, n, _ in pipeline.dead()) == sorted(poison)
    assert sorted(pipeline.effects()) == [n for n in numbers if n not in poison]


def test_the_others_are_not_noted(play: Play) -> None:
    """What is handled alone only because another partition is careful has a position, and needs no note beside it."""
    pipeline, worker, _ = careful_worker(play)
    noted: list[int] = []
    suspect = worker._ownership.suspect
    worker._ownership.suspect = lambda record: noted.append(record.partition()) or suspect(record)  # type: ignore[method-assign,func-returns-value]
    place(pipeline, 0, 0, 1, 2)
    place(pipeline, 1, 3, 4)
    assert [worker.step() for _ in range(5)] == [1] * 5
    assert noted == [1, 1]


def test_care_ends_with_the_partition(play: Play) -> None:
    """A partition in which workers have died, and which has nothing more, holds up no other."""
    pipeline, worker, careful = careful_worker(play)
    place(pipeline, 0, *range(9))
    assert worker.step() == BATCH
    worker._reading._alone.begin([careful])
    place(pipeline, 1, 20)
    assert worker.step() == 1
    worker._ownership._held.pop(careful)
    assert worker.step() == 4
    assert not worker._reading._alone.left


def test_what_is_in_hand_when_care_begins_is_not_alone(play: Play) -> None:
    """A partition in which workers have died comes to a worker that has just polled a batch of another one. Nothing of
    that batch was run alone, and so nothing of it is given up."""
    pipeline = play(shop(), broker=MemoryBroker(partitions=2), batch=BATCH)
    other = pipeline.logs[GROUP].join()
    pipeline.run()
    worker = pipeline.workers[GROUP]
    assert [p.number for p in worker._ownership.held] == [0]
    alter(pipeline, 0, suspect=0, starts=3)
    alter(pipeline, 1, acquisitions=9)
    place(pipeline, 0, *range(BATCH))
    other.close()
    assert worker.step() == BATCH
    assert {p.number for p in worker._ownership.held} == {0, 1}
    assert pipeline.effects() == list(range(BATCH))
    assert pipeline.dead() == []
    assert worker._reading._alone.left, "care has begun"
