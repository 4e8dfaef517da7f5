"""The log of a kit in memory: what is announced arrives in it when the kit runs, in the order that it runs in."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from oyez.producers import MemoryBroker
from oyez.producers.memory import MemoryRecord

from ..core.record import Record
from ..database.positions import Partition
from ..logs.memory import MemoryGroup, MemoryLog
from .orders import Arrival, Order

PARTITIONS = 8

Numbers = Mapping[tuple[str, int, int], int]
"""How many records had arrived before the one of this topic, partition and offset."""


class Incoming:
    """What was announced into a broker and has not been taken from it yet."""

    def __init__(self, broker: MemoryBroker, topics: Sequence[str]) -> None:
        """What is in it already is another test's, and is forgotten."""
        self._broker = broker
        self._topics = topics
        self._read: dict[tuple[str, int], int] = {}
        for topic in topics:
            broker.delete(topic)

    def take(self) -> list[Arrival]:
        """All of it, in the order of announcing."""
        lines = [
            self._line(topic, n) for topic in self._topics for n in range(self._broker.partitions(topic))
        ]
        return list(heapq.merge(*lines, key=attrgetter("id")))

    def _line(self, topic: str, partition: int) -> list[Arrival]:
        at = self._read.get((topic, partition), 0)
        end = self._read[topic, partition] = self._broker.end(topic, partition)
        return [_arrival(record) for record in self._broker.read(topic, partition, at, end - at)]


class Arrived:
    """What has arrived, in the partitions of its topics."""

    def __init__(self) -> None:
        turns = itertools.count()
        self.broker = MemoryBroker(PARTITIONS, choose=lambda partitions: next(turns) % partitions)
        self.numbers: dict[tuple[str, int, int], int] = {}

    def put(self, arrivals: Sequence[Arrival]) -> None:
        """Let these arrive."""
        for one in arrivals:
            record = self.broker.append(one.topic, one.key, one.value, one.headers)
            self.numbers[record.topic(), record.partition(), record.offset()] = len(self.numbers)


class OrderedLog(MemoryLog):
    """A member of a group that is given the records of its partitions in an order."""

    def __init__(self, group: MemoryGroup, numbers: Numbers, order: Order) -> None:
        super().__init__(group)
        self._numbers = numbers
        self._order = order

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._rebalance()
        room, found = self._order.room(limit), list[Record]()
        while len(found) < room and (heads := dict(self._heads())):
            found.extend(self._read(self._order.next(heads), 1))
        return found

    def _heads(self) -> Iterator[tuple[Partition, int]]:
        for partition, at in list(self._positions.items()):
            number = self._numbers.get((partition.topic, partition.number, at))
            if number is None:
                self._read(partition, 0)  # its end is reached, or it has no such position
            elif partition not in self._held_back:
                yield partition, number


def _arrival(record: MemoryRecord) -> Arrival:
    envelope = _envelope(record)
    source, event_id = (str(envelope.get(name, "")) for name in ("source", "id"))
    return Arrival(record.topic(), record.key(), record.value(), record.headers(), source, event_id)


def _envelope(record: MemoryRecord) -> dict[str, Any]:
    """What can be read of it; nothing of what is no event."""
    try:
        found = json.loads(record.value() or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
