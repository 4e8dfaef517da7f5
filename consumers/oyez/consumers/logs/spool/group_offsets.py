"""The offsets of a group in folders of the spool; see `GroupOffsets`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from oyez.producers.spool import Segments

from ...database.positions import FOLDER, Partition
from ..group_offsets import FirstOffset
from ..log import LogAway
from ..offsets import AT_LEAST_ONCE
from .members import Members


class SpoolGroupOffsets:
    """What the folders have, and what the database has of the group."""

    def __init__(self, known: Callable[[], Mapping[Partition, Segments]], members: Members) -> None:
        """``known`` gives the folders that the member has found."""
        self._known = known
        self._members = members

    def siblings(self, partition: Partition) -> list[Partition]:
        return sorted(known for known in self._known() if known.topic == partition.topic)

    def first_offset(self, partition: Partition, first: FirstOffset) -> int:
        segments = self._known().get(partition)
        if segments is None:
            raise LogAway(
                f"the spool's folder {partition.topic_id.removeprefix(FOLDER)} has just been removed"
            )
        return segments.start() if first == "earliest" else segments.end()

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return self._members.committed(partitions)

    def commit(self, positions: Mapping[Partition, int], promise: str) -> Collection[Partition]:
        if promise == AT_LEAST_ONCE and positions:
            self._members.commit(positions)
        return positions.keys()

    def commit_now(self) -> None:
        """Nothing waits for it."""
