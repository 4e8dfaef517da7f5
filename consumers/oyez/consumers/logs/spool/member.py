"""The log on folders of the spool: any number of them, each with one partition, while they are written and later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from itertools import repeat
from typing import NamedTuple

from oyez.producers.loggers import logger_named
from oyez.producers.spool import BytesMissing, Folder, LogReader, Segments, SettledReader

from ...core.record import Record
from ...database.positions import FOLDER, Partition
from ..lags import of_lags
from ..log import LogAway, Stalled, Standing
from .group_offsets import SpoolGroupOffsets
from .members import Members

log = logger_named("oyez.spool")

COUNTED = 10_000  # lines at a step
LOOK = 0.5  # s between two looks for folders and members
_NO_HEADERS: tuple[tuple[str, bytes], ...] = ()


class SpoolRecord(NamedTuple):
    """One line."""

    log: str
    number: int
    begin: int
    line: bytes

    def value(self) -> bytes:
        return self.line

    def key(self) -> None:
        """A line has its key in the event."""

    def headers(self) -> Sequence[tuple[str, bytes]]:
        return _NO_HEADERS

    def topic(self) -> str:
        return self.log

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.begin


_new = partial(tuple.__new__, SpoolRecord)


class SpoolLog:
    """A member of a group that reads folders; see `Log`. Offsets are bytes.

    The folders are dealt to the group's members in turn. ``find`` gives those that are there, ``clock`` counts seconds.
    """

    def __init__(
        self,
        find: Callable[[], Iterable[Folder]],
        members: Members,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._find = find
        self._members = members
        self._clock = clock
        self._sleep = sleep
        self._looked = float("-inf")
        self._joined = float("inf")
        self._is_settled = False
        self._known: dict[Partition, Segments] = {}
        self._dealt: set[Partition] = set()
        self._readers: dict[Partition, LogReader] = {}
        self._positions: dict[Partition, int] = {}
        self._out_of_range: dict[Partition, int] = {}
        self._held_back: AbstractSet[Partition] = frozenset()
        self._unreadable: dict[Partition, str] = {}
        self.offsets = SpoolGroupOffsets(lambda: self._known, members)

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._look()
        records = self._read(limit)
        if not records and wait:
            self._sleep(wait)
            records = self._read(limit)
        return records

    def gained(self) -> list[Partition]:
        if self._clock() < self._joined:
            return []
        self._is_settled = True
        return sorted(self._dealt - self._positions.keys())

    def start(self, positions: Mapping[Partition, int]) -> None:
        ours = {p: offset for p, offset in positions.items() if p in self._dealt}
        self._positions.update(ours)
        for partition in ours:
            self._readers.setdefault(partition, self._reader(self._known[partition]))
            self._out_of_range.pop(partition, None)

    def leave(self, partition: Partition) -> None:
        self._positions.pop(partition, None)
        reader = self._readers.pop(partition, None)
        if reader is not None:
            reader.close()

    def out_of_range(self) -> dict[Partition, int]:
        return dict(self._out_of_range)

    def positions(self) -> dict[Partition, int]:
        return dict(self._positions)

    def lags(self) -> dict[Partition, int]:
        found = {}
        for partition, position in self._positions.items():
            with suppress(OSError):  # it is said where it is read
                found[partition] = max(0, self._known[partition].end() - position)
        return found

    def is_settled(self) -> bool:
        return self._is_settled

    def count(self, partition: Partition, position: int) -> int:
        reader, count = LogReader(self._known[partition]), 0
        try:
            while lines := (found := reader.read(position, COUNTED))[1]:
                count, position = count + len(lines), found[2]
        except (BytesMissing, OSError):
            return count
        finally:
            reader.close()
        return count

    def look_for_stalls(self) -> Sequence[Stalled]:
        return ()

    def standing(self) -> Standing:
        return of_lags(self)

    def idle(self) -> None:
        self._look()

    def hold_back(self, partitions: AbstractSet[Partition]) -> None:
        self._held_back = partitions

    def close(self) -> None:
        for partition in list(self._positions):
            self.leave(partition)
        self._dealt.clear()
        self._members.leave()

    def _reader(self, segments: Segments) -> LogReader:
        return SettledReader(segments, sleep=self._sleep)

    def _read(self, limit: int) -> list[Record]:
        """Of each partition in turn, the one first that was last before."""
        records: list[Record] = []
        for partition in list(self._positions):
            if len(records) >= limit:
                break
            if partition in self._held_back:
                continue
            position = self._positions.pop(partition)
            reader = self._readers[partition]
            try:
                begins, lines, after = reader.read(position, limit - len(records))
                reader.sync()
            except BytesMissing:
                self.leave(partition)
                self._out_of_range[partition] = position
                continue
            except OSError as error:
                self._positions[partition] = position
                self._say_unreadable(partition, error)
                continue
            self._unreadable.pop(partition, None)
            self._positions[partition] = after
            same = repeat(partition.topic), repeat(partition.number)
            records += map(_new, zip(*same, begins, lines))  # noqa: B905 # the first two are endless
        return records

    def _say_unreadable(self, partition: Partition, error: OSError) -> None:
        """Once, until it is read again. The other logs go on."""
        why = f"{error.filename or self._known[partition].directory}: {error.strerror}"
        if self._unreadable.get(partition) != why:
            self._unreadable[partition] = why
            log.error("the spool's log %s waits: %s", partition.topic_id.removeprefix(FOLDER), why)

    def _look(self) -> None:
        """From time to time, see which folders and members there are, and which folders are this one's."""
        now = self._clock()
        if 0 <= now - self._looked < LOOK:
            return
        self._looked = now
        try:
            names = self._members.all()
        except LogAway:
            return  # all stays as it is
        if self._joined == float("inf"):
            # The others are given time to notice, and to let go of what is this one's now.
            self._joined = now if len(names) == 1 else now + 3 * LOOK
        self._discover()
        mine = names.index(self._members.name)
        self._deal(set(sorted(self._known, key=lambda p: p.topic_id)[mine :: len(names)]))

    def _discover(self) -> None:
        """A folder whose files were moved elsewhere is the same log."""
        found = {partition_of(folder): folder for folder in self._find()}
        self._known = {
            p: known
            if (known := self._known.get(p)) is not None and known.directory == folder.path
            else Segments(folder.path, folder.log_id)
            for p, folder in found.items()
        }

    def _deal(self, dealt: set[Partition]) -> None:
        for partition in self._dealt - dealt:
            self.leave(partition)
            self._out_of_range.pop(partition, None)
        for partition, segments in self._known.items():
            reader = self._readers.get(partition)
            if reader is not None and reader.segments is not segments:
                reader.close()
                self._readers[partition] = self._reader(segments)
        self._dealt = dealt


def partition_of(folder: Folder) -> Partition:
    """The one partition of a folder. Its number comes from the folder's UUID, so that it is the same wherever the files
    are, and another one than any other folder's."""
    return Partition(folder.topic, f"{FOLDER}{folder.log_id}", int(folder.log_id[-8:], 16) & 0x7FFF_FFFF)
