"""The log of the memory transport: groups of members within this process, for tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from oyez.producers import MemoryBroker

from ..core.record import Record
from ..database.positions import Partition
from .group_offsets import FirstOffset
from .lags import of_lags
from .log import Stalled, Standing
from .offsets import AT_LEAST_ONCE


class MemoryGroup:
    """The members of one consumer group, and the offsets they committed."""

    def __init__(self, broker: MemoryBroker, topics: Sequence[str]) -> None:
        self.broker = broker
        self.topics = tuple(topics)
        self.members: list[MemoryLog] = []
        self.offsets: dict[Partition, tuple[int, str]] = {}

    def join(self) -> MemoryLog:
        """A new member; the partitions are dealt anew when each member polls."""
        member = MemoryLog(self)
        self.members.append(member)
        return member

    def assigned(self, member: MemoryLog) -> set[Partition]:
        """The member's part of all partitions, dealt in turn."""
        if member not in self.members:
            return set()
        everything = [p for topic in self.topics for p in self.partitions(topic)]
        return set(everything[self.members.index(member) :: len(self.members)])

    def partitions(self, topic: str) -> list[Partition]:
        """All partitions of a topic."""
        topic_id = self.broker.topic_id(topic)
        return [Partition(topic, topic_id, number) for number in range(self.broker.partitions(topic))]


class MemoryGroupOffsets:
    """The offsets of a `MemoryGroup`; see `GroupOffsets`."""

    def __init__(self, group: MemoryGroup) -> None:
        self._group = group

    def siblings(self, partition: Partition) -> list[Partition]:
        return self._group.partitions(partition.topic)

    def first_offset(self, partition: Partition, first: FirstOffset) -> int:
        return 0 if first == "earliest" else self._group.broker.end(partition.topic, partition.number)

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        known = {p: self._group.offsets[p] for p in partitions if p in self._group.offsets}
        return {p: offset for p, (offset, promise) in known.items() if promise == AT_LEAST_ONCE}

    def commit(self, positions: Mapping[Partition, int], promise: str) -> Collection[Partition]:
        self._group.offsets.update({partition: (offset, promise) for partition, offset in positions.items()})
        return positions.keys()

    def commit_now(self) -> None:
        """Nothing waits for it."""


class MemoryLog:
    """A member of a `MemoryGroup`; see `Log`."""

    def __init__(self, group: MemoryGroup) -> None:
        self.offsets = MemoryGroupOffsets(group)
        self._group = group
        self._assigned: set[Partition] = set()
        self._positions: dict[Partition, int] = {}
        self._out_of_range: dict[Partition, int] = {}
        self._held_back: AbstractSet[Partition] = frozenset()
        self._is_dealt = False
        self._is_settled = False

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._rebalance()
        records: list[Record] = []
        for partition in list(self._positions):
            records.extend(self._read(partition, limit - len(records)))
        return records

    def _read(self, partition: Partition, limit: int) -> Sequence[Record]:
        """The next records of a started partition: none if it is held back, or has no such position and is left."""
        position = self._positions[partition]
        if partition in self._held_back:
            return ()
        if position > self._group.broker.end(partition.topic, partition.number):
            self.leave(partition)
            self._out_of_range[partition] = position
            return ()
        found = self._group.broker.read(partition.topic, partition.number, position, limit)
        self._positions[partition] = position + len(found)
        return found

    def gained(self) -> list[Partition]:
        self._is_settled = self._is_dealt
        return sorted(self._assigned - self._positions.keys())

    def start(self, positions: Mapping[Partition, int]) -> None:
        ours = {p: offset for p, offset in positions.items() if p in self._assigned}
        self._positions.update(ours)
        self._out_of_range = {p: at for p, at in self._out_of_range.items() if p not in ours}

    def leave(self, partition: Partition) -> None:
        self._positions.pop(partition, None)

    def out_of_range(self) -> dict[Partition, int]:
        return dict(self._out_of_range)

    def partition_count(self, topic: str) -> int | None:
        return self._group.broker.partitions(topic)

    def positions(self) -> dict[Partition, int]:
        return dict(self._positions)

    def lags(self) -> dict[Partition, int]:
        end = self._group.broker.end
        return {p: end(p.topic, p.number) - position for p, position in self._positions.items()}

    def is_settled(self) -> bool:
        return self._is_settled

    def count(self, partition: Partition, position: int) -> int:
        return self._group.broker.end(partition.topic, partition.number) - position

    def look_for_stalls(self) -> Sequence[Stalled]:
        return ()

    def standing(self) -> Standing:
        return of_lags(self)

    def idle(self) -> None:
        self._rebalance()

    def hold_back(self, partitions: AbstractSet[Partition]) -> None:
        self._held_back = partitions

    def close(self) -> None:
        if self in self._group.members:
            self._group.members.remove(self)
        self._assigned.clear()
        self._positions.clear()

    def _rebalance(self) -> None:
        self._assigned = self._group.assigned(self)
        self._is_dealt = True
        self._positions = {p: at for p, at in self._positions.items() if p in self._assigned}
        self._out_of_range = {p: at for p, at in self._out_of_range.items() if p in self._assigned}


def nothing() -> MemoryLog:
    """A log without partitions, for who is to read none."""
    return MemoryGroup(MemoryBroker(partitions=1), []).join()
