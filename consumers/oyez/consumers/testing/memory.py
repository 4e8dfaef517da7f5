"""The log of a kit in memory: what is announced arrives in it when the kit runs, in the order that it runs in."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
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


class Announcements:
    """What was announced to a kit, and what has been announced into this process's broker since it was opened. Others
    may read that broker too, and nothing is taken from them."""

    def __init__(self, shared: MemoryBroker, topics: Sequence[str]) -> None:
        """What is in the broker already is another test's."""
        self._shared = shared
        self._topics = topics
        self._own = MemoryBroker(partitions=1)
        self._read: dict[tuple[str, int], int] = {}
        self._all: list[Arrival] = []
        self._lock = threading.Lock()
        for topic, partition in self._partitions():
            self._read[topic, partition] = shared.end(topic, partition)

    def append(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Add one that was announced to the kit, after all that was announced before by anybody."""
        with self._lock:
            self._listen()
            self._all.append(_arrival(self._own.append(topic, key, value)))

    def all(self) -> Sequence[Arrival]:
        """All of it, in the order of announcing."""
        with self._lock:
            self._listen()
            return self._all

    def _listen(self) -> None:
        lines = [self._line(topic, partition) for topic, partition in self._partitions()]
        self._all += heapq.merge(*lines, key=attrgetter("id"))

    def _partitions(self) -> Iterator[tuple[str, int]]:
        return ((topic, n) for topic in self._topics for n in range(self._shared.partitions(topic)))

    def _line(self, topic: str, partition: int) -> list[Arrival]:
        at = self._read.get((topic, partition), 0)
        end = self._read[topic, partition] = self._shared.end(topic, partition)
        return [_arrival(record) for record in self._shared.read(topic, partition, at, end - at)]


class ToKit:
    """A transport that announces to a kit. What it takes has arrived."""

    def __init__(self, announcements: Announcements) -> None:
        self._announcements = announcements

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self._announcements.append(topic, key, value)

    def flush(self, timeout: float) -> None:
        """Nothing is ever under way."""

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""


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
