"""The segments of one log in one directory, in their order."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .names import SegmentName
from .tails import whole

_SETTLED = 1_000_000_000
"""Nanoseconds after which a directory's time of change says for sure whether something was added since."""
WRITABLE = 0o200


class Segment(NamedTuple):
    """A file of a log, and the position of its first byte."""

    base: int
    path: Path
    created: int

    def size(self) -> int:
        """In bytes; a file that has just been removed has none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def is_open(self) -> bool:
        """Whether it may be appended to."""
        return bool(self.path.stat().st_mode & WRITABLE)


def seal(file: int) -> None:
    """Let nobody append to a segment any more; those who have it open see it."""
    os.fchmod(file, 0o400)


class Segments:
    """The segments of the log ``log_id`` in a directory, looked for again when the directory has changed."""

    def __init__(self, directory: Path, log_id: str, *, clock: Callable[[], int] = time.time_ns) -> None:
        """``clock`` gives nanoseconds since the epoch, as the file system's times are."""
        self.directory = directory
        self._log_id = log_id
        self._clock = clock
        self._known: list[Segment] = []
        self._changed = -1

    def all(self) -> list[Segment]:
        """All segments, by position."""
        try:
            changed = self.directory.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed != self._changed:
            listed = self._clock()
            self._known = self._listed()
            # A file that comes within the same tick of the file system's clock would not be noticed.
            self._changed = changed if listed - changed > _SETTLED else -1
        return self._known

    def newest(self) -> Segment | None:
        """The segment that is written to, if it is not sealed."""
        found = self.all()
        return found[-1] if found else None

    def at(self, position: int) -> Segment | None:
        """The segment that has, or would have, the byte at a position."""
        found = self.all()
        place = bisect_right(found, position, key=lambda segment: segment.base)
        return found[place - 1] if place else None

    def after(self, segment: Segment) -> Segment | None:
        """The segment that follows."""
        found = self.all()
        place = bisect_right(found, segment.base, key=lambda one: one.base)
        return found[place] if place < len(found) else None

    def start(self) -> int:
        """The position of the first byte that is there."""
        found = self.all()
        return found[0].base if found else 0

    def end(self) -> int:
        """The position after the last whole line."""
        newest = self.newest()
        if newest is None:
            return 0
        try:
            file = os.open(newest.path, os.O_RDONLY)
        except FileNotFoundError:
            return newest.base
        try:
            return newest.base + whole(file)
        finally:
            os.close(file)

    def is_begin(self, position: int) -> bool:
        """Whether a line begins at a position, or will: after a line feed, or with a segment."""
        segment = self.at(position)
        if segment is None or position == segment.base:
            return segment is not None or position == 0
        try:
            with segment.path.open("rb") as file:
                file.seek(position - segment.base - 1)
                return file.read(1) == b"\n"
        except FileNotFoundError:
            return False

    def _listed(self) -> list[Segment]:
        found = []
        with os.scandir(self.directory) as entries:
            for entry in entries:
                name = SegmentName.parse(entry.name)
                if name is not None and name.log_id == self._log_id:
                    found.append(Segment(name.base, Path(entry.path), name.created))
        return sorted(found)
