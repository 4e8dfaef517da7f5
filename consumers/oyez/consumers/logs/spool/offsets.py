"""What the folders of the spool and their groups have; see `Offsets`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from oyez.producers.spool import Folder, LogReader, Segments
from oyez.schemas import Undecodable
from oyez.schemas.foreign import read_envelope

from ...core.counted import Unit
from ...database import Database, committed_offsets, members
from ...database.clock import Clock, DatabaseClock
from ...database.positions import Partition
from ..offsets import AT_LEAST_ONCE, Ends, GroupActive, PartitionEnds
from .member import partition_of
from .roll import ALIVE

MANY = 1_000


class SpoolOffsets:
    """Asks the folders, and the database that has what groups committed."""

    unit: Unit = "bytes"

    def __init__(self, folders: Sequence[Folder], database: Database, clock: Clock | None = None) -> None:
        self._folders = {partition_of(folder): folder for folder in folders}
        self._database = database
        self._clock = clock or DatabaseClock()

    def ends(self, topics: Iterable[str]) -> list[Ends]:
        wanted = set(topics)
        return [
            Ends(p.topic, p.topic_id, {p.number: PartitionEnds(segments.start(), segments.end())})
            for p, folder in sorted(self._folders.items())
            if p.topic in wanted and (segments := Segments(folder.path, folder.log_id))
        ]

    def committed(self, group: str, logs: Iterable[Ends]) -> dict[tuple[str, int], int]:
        asked = [Partition(log.topic, log.topic_id, number) for log in logs for number in log.partitions]
        with self._database.reading() as db:
            return {(p.topic, p.number): at for p, at in committed_offsets.read(db, group, asked).items()}

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int], promise: str) -> None:
        by_place = {(p.topic, p.number): p for p in self._folders}
        with self._database.reading() as db:
            there = members.alive(db, self._clock(db) - ALIVE).get(group)
        if offsets and promise == AT_LEAST_ONCE and there:
            raise GroupActive(
                f"the offsets of {group} cannot be set while workers read for it; stop the group's workers first"
            )
        positions = {by_place[place]: at for place, at in offsets.items()}
        self._database.repeat(lambda db: committed_offsets.write(db, group, positions))

    def at(self, log: Ends, time: float) -> dict[int, int | None]:
        return {
            number: self._at(Partition(log.topic, log.topic_id, number), time) for number in log.partitions
        }

    def is_begin(self, log: Ends, number: int, offset: int) -> bool:
        folder = self._folders[Partition(log.topic, log.topic_id, number)]
        return Segments(folder.path, folder.log_id).is_begin(offset)

    def copy_committed(self, old: str, new: str) -> int:
        return 0  # it stands in the database, where all that is the group's gets the new name

    def kept_for(self) -> None:
        """In the database, for ever."""

    def _at(self, partition: Partition, moment: float) -> int | None:
        folder = self._folders[partition]
        segments = Segments(folder.path, folder.log_id)
        return first_at(segments, LogReader(segments), moment)


class Lines(Protocol):
    """Reads a log as `LogReader` does, and is closed at the end."""

    def read(self, position: int, limit: int) -> tuple[list[int], list[bytes], int]:
        """See there."""

    def close(self) -> None:
        """See there."""


def first_at(segments: Segments, reader: Lines, moment: float) -> int | None:
    """Where the first event is that was announced at ``moment`` or later, in seconds since the epoch. It is looked for
    from the segment that was begun last before that: events may stand in a log a little later than they were
    announced."""
    begun = [segment.base for segment in segments.all() if segment.created <= moment]
    position = begun[-1] if begun else segments.start()
    try:
        while True:
            begins, lines, position = reader.read(position, MANY)
            if not lines:
                return None
            for begin, line in zip(begins, lines, strict=True):
                if (at := _time_of(line)) is not None and at >= moment:
                    return begin
    finally:
        reader.close()


def _time_of(line: bytes) -> float | None:
    try:
        return datetime.fromisoformat(read_envelope(line, (), None).time or "").timestamp()
    except (Undecodable, ValueError):
        return None
