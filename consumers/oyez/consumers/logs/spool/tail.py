"""Folders of the spool, read beside all groups; see `Tail`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from oyez.producers.spool import Folder, Segment, Segments

from ...core.record import Record
from ...database.positions import Partition
from ..offsets import PartitionEnds
from ..unfinished import Unfinished
from .member import SpoolRecord, partition_of
from .offsets import first_at
from .over_holes import OverHoles

MANY = 1_000
LOOK = 1.0  # s between two looks for new folders
REST = 0.05  # s between two looks for new lines
_BLOCK = 64 * 1024


class SpoolTail:
    """Looks at the folders that there are, again and again."""

    def __init__(
        self,
        folders: Callable[[], Sequence[Folder]],
        topics: Collection[str],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._folders = folders
        self._topics = topics
        self._clock = clock
        self._sleep = sleep
        self._positions: dict[Partition, int] = {}
        self._readers: dict[Partition, OverHoles] = {}
        self._unfinished = Unfinished[Partition]()
        self._look_at = 0.0

    def ends(self) -> Mapping[Partition, PartitionEnds]:
        return {
            partition: PartitionEnds(segments.start(), segments.end())
            for partition, segments in self._segments().items()
        }

    def at(self, time: float) -> Mapping[Partition, int]:
        found = {}
        for partition, segments in self._segments().items():
            position = first_at(segments, OverHoles(segments), time)
            found[partition] = segments.end() if position is None else position
        return found

    def before(self, partition: Partition, end: int, count: int) -> int:
        segments = self._segments()[partition]
        position = end
        for segment in reversed([one for one in segments.all() if one.base < end]):
            position, count = _back(segment, min(end, segment.base + segment.size()), count)
            if count <= 0:
                break
        return position

    def read(self, partition: Partition, begin: int, end: int) -> Iterator[Record]:
        reader = OverHoles(self._segments()[partition])
        position = begin
        try:
            while position < end:
                begins, lines, position = reader.read(position, MANY)
                if not lines:
                    return
                for at, line in zip(begins, lines, strict=True):
                    if at < end:
                        yield SpoolRecord(partition.topic, partition.number, at, line)
        finally:
            reader.close()

    def follow(self, begins: Mapping[Partition, int]) -> None:
        segments = self._segments()
        for partition, position in begins.items():
            self._add(partition, segments[partition], position)
            self._unfinished.begin(partition, position, segments[partition].end())
        self._look_at = self._clock() + LOOK

    def poll(self, wait: float) -> Sequence[Record]:
        until = self._clock() + wait
        while not (found := self._new()) and self._clock() < until:
            self._sleep(REST)
        return found

    @property
    def is_at_end(self) -> bool:
        return not self._unfinished

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _new(self) -> list[Record]:
        if self._clock() >= self._look_at:
            self._look()
        found: list[Record] = []
        for partition, reader in self._readers.items():
            begins, lines, after = reader.read(self._positions[partition], MANY)
            self._positions[partition] = after
            if lines:
                self._unfinished.reach(partition, after)
            else:  # there may be a hole before the end
                self._unfinished.finish(partition)
            found += [
                SpoolRecord(partition.topic, partition.number, at, line)
                for at, line in zip(begins, lines, strict=True)
            ]
        return found

    def _look(self) -> None:
        for partition, segments in self._segments().items():
            if partition not in self._readers:
                self._add(partition, segments, segments.start())
        self._look_at = self._clock() + LOOK

    def _add(self, partition: Partition, segments: Segments, position: int) -> None:
        self._readers[partition] = OverHoles(segments)
        self._positions[partition] = position

    def _segments(self) -> dict[Partition, Segments]:
        return {
            partition_of(folder): Segments(folder.path, folder.log_id)
            for folder in self._folders()
            if folder.topic in self._topics
        }


def _back(segment: Segment, end: int, count: int) -> tuple[int, int]:
    """The position ``count`` lines before ``end``, which is after a line, in a segment, or its beginning; and how many
    lines are missing."""
    try:
        file = segment.path.open("rb")
    except FileNotFoundError:
        return end, count
    with file:
        at, found = end, 0  # line feeds: one more than lines, since each line begins after one
        while at > segment.base:
            size = min(_BLOCK, at - segment.base)
            at -= size
            file.seek(at - segment.base)
            block = file.read(size)
            place = len(block)
            while (place := block.rfind(b"\n", 0, place)) >= 0:
                found += 1
                if found > count:
                    return at + place + 1, 0
        return segment.base, count - found
