"""What watches for stalls, over a broker that is told what to say, and over a real one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from confluent_kafka import Producer

from consumers.logs.contract_logs import Reading
from consumers.logs.stalling_consumer import Clients
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka.member import KafkaLog
from oyez.consumers.logs.kafka.membership import Membership
from oyez.consumers.logs.kafka.stalls import LOOK_EVERY, Stalls
from oyez.consumers.logs.log import Remedy, Stalled
from support.services import unique
from support.waiting import eventually

P = Partition("t", "id", 0)
OTHER = Partition("t", "id", 1)


class Turned:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class ToldBroker:
    """A broker whose ends are told, and all of whose records can be read unless told otherwise."""

    def __init__(self, ends: Mapping[Partition, int]) -> None:
        self.says = dict(ends)
        self.unreadable: set[Partition] = set()
        self.unanswered: set[Partition] = set()
        self.member: Membership | None = None
        self.looked: list[set[Partition]] = []
        self._asked: Collection[Partition] = ()

    def ask_ends(self, partitions: Collection[Partition]) -> None:
        self._asked = list(partitions)

    def ends(self) -> Mapping[Partition, int]:
        return {p: self.says[p] for p in self._asked if p in self.says}

    def ask_group(self) -> None:
        """It is told who is in it."""

    def membership(self, _member: str) -> Membership | None:
        return self.member

    def readable(self, positions: Mapping[Partition, int]) -> Mapping[Partition, bool]:
        self.looked.append(set(positions))
        return {p: p not in self.unreadable for p in positions if p not in self.unanswered}


class Watching:
    """`Stalls` over a broker that is told, a look at a time."""

    def __init__(self, ends: Mapping[Partition, int]) -> None:
        self.broker = ToldBroker(ends)
        self.clock = Turned()
        self.stalls = Stalls(self.broker, self.clock)

    def look(self, positions: Mapping[Partition, int], polls: tuple[int, ...] = (0,)) -> list[Stalled]:
        for count in polls:
            self.stalls.polled(count)
        self.clock.now += LOOK_EVERY
        return self.stalls.look(positions)

    def looks(
        self, positions: Mapping[Partition, int], times: int, polls: tuple[int, ...] = (0,)
    ) -> list[Remedy]:
        return [one.remedy for _ in range(times) for one in self.look(positions, polls)]


class Stalling:
    """A member on a real broker whose client stalls when it is told to."""

    def __init__(self, kafka: str, topic: str) -> None:
        self.clock = Turned()
        self.clients = Clients()
        self.log = KafkaLog(
            unique("stalling"),
            [topic],
            servers=kafka,
            options={},
            logger=logging.getLogger("test.kafka"),
            clock=self.clock,
            make=self.clients,
        )
        self.reading = Reading(self.log)
        self.producer = Producer({"bootstrap.servers": kafka})
        self.topic = topic
        self.said = 0

    def announce(self) -> None:
        """One record for each partition."""
        for number in range(4):
            self.producer.produce(self.topic, b"%d" % self.said, partition=number)
        self.said += 4
        assert self.producer.flush(20) == 0

    def is_read(self) -> bool:
        return len(self.reading.seen) >= self.said

    def remedies(self, until: Callable[[], Any]) -> list[Remedy]:
        """What is done while time passes, five times as fast as it does: what is sought takes its time to come."""
        found: list[Remedy] = []

        def is_so() -> bool:
            self.reading.turn()
            self.clock.now += 0.1
            found.extend(dict.fromkeys(one.remedy for one in self.log.look_for_stalls()))
            return bool(until() or "restart" in found)

        eventually(is_so, 60)
        return found
