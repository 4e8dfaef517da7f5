"""Offsets are committed late, and an event kills each worker that handles it: the deaths are counted at that event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, TopicPartition

from consumers.partitions.test_dying_workers import KILLED, Killed, live_and_die
from consumers.pipeline import Pipeline, Placed, Play, placed
from oyez.consumers import Handlers
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka import pending_offsets
from oyez.consumers.logs.kafka.pending_offsets import PendingOffsets
from oyez.consumers.logs.memory import MemoryGroup, MemoryGroupOffsets, MemoryLog
from oyez.consumers.partitions import ownership

GROUP = "shop.placed"


class LateOffsets(MemoryGroupOffsets):
    """Offsets that are committed as a member's on Kafka are."""

    def __init__(self, group: MemoryGroup, pending: PendingOffsets) -> None:
        super().__init__(group)
        self._pending = pending

    def commit(self, positions: Mapping[Partition, int], promise: str) -> Collection[Partition]:
        return self._pending.put(positions, promise)

    def commit_now(self) -> None:
        self._pending.commit()


class Started(Collection[Partition]):
    """The partitions that a member reads at the moment."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def __contains__(self, partition: object) -> bool:
        return partition in self._log.positions()

    def __iter__(self) -> Iterator[Partition]:
        return iter(self._log.positions())

    def __len__(self) -> int:
        return len(self._log.positions())


class LateLog(MemoryLog):
    """A member that is killed, when it is closed."""

    def __init__(self, group: MemoryGroup, clock: Callable[[], float]) -> None:
        super().__init__(group)
        self._late = PendingOffsets(lambda: cast("Consumer", self), Started(self), clock)
        self.offsets = LateOffsets(group, self._late)

    def start(self, positions: Mapping[Partition, int]) -> None:
        self._late.commit()
        super().start(positions)

    def poll(self, limit: int, wait: float) -> list[Any]:
        self._late.commit_if_due()
        return super().poll(limit, wait)

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        """What the client does."""
        by_number = {(p.topic, p.number): p for p in self._positions}
        for one in offsets:
            self._group.offsets[by_number[one.topic, one.partition]] = (one.offset, str(one.metadata))


class LateGroup(MemoryGroup):
    """Its members commit late."""

    clock: Callable[[], float]

    def join(self) -> MemoryLog:
        member = LateLog(self, self.clock)
        self.members.append(member)
        return member


def late(play: Play, poison: int, seconds: float, batch: int = 2) -> tuple[Pipeline, list[int]]:
    """Events, of which one kills, so many seconds each, with a worker; and those that it handles."""
    on = Handlers("shop", promises={"placed": "at-least-once"})
    told: list[Any] = []
    handled: list[int] = []

    @on(Placed, name="place", order="none")
    def place(event: Placed) -> None:
        told[0].clock.now += seconds
        if event.n == poison:
            raise Killed
        handled.append(event.n)

    pipeline = play(on, batch=batch)
    told.append(pipeline)
    late = LateGroup(pipeline.broker, pipeline.logs[GROUP].topics)
    late.clock = pipeline.clock
    pipeline.workers[GROUP]._log.close()
    pipeline.logs[GROUP] = late
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    pipeline.announce(*placed(range(400)))
    return pipeline, handled


def lived(play: Play, poison: int, seconds: float) -> tuple[Pipeline, int]:
    """The same, handled; the number of deaths."""
    pipeline, _ = late(play, poison, seconds)
    return pipeline, live_and_die(pipeline, most=12)


@pytest.mark.parametrize("seconds", [0.05, 0.3])
@pytest.mark.parametrize("poison", [1, 320])
def test_an_event_that_kills_is_found_within_a_few_deaths(play: Play, poison: int, seconds: float) -> None:
    pipeline, deaths = lived(play, poison, seconds)
    assert pipeline.dead() == [("place", poison, KILLED)]
    assert deaths <= 8, "six, and two on the way to it"
    assert pipeline.logs[GROUP].offsets, "something was committed"


def test_what_was_handled_alone_is_committed_at_once(play: Play) -> None:
    """Also when the haste of the beginning is over."""
    pipeline, handled = late(play, 67, 0.3, batch=50)
    live_and_die(pipeline, most=12)
    assert pipeline.dead() == [("place", 67, KILLED)]
    assert max(map(handled.count, range(67))) == 5, "four times together, and alone once"


def test_without_the_haste_at_first_it_takes_many(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "AT_FIRST", 0.0)
    monkeypatch.setattr(pending_offsets, "EVERY", 10.0)
    try:
        _, deaths = lived(play, 320, 0.05)
    except AssertionError:
        return  # it never ended
    assert deaths > 8
