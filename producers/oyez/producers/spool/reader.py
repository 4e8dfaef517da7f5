"""Reading a log of the spool, while it is being written and afterwards."""

from __future__ import annotations

import os
from itertools import accumulate
from os.path import samestat

from oyez.schemas import OyezError

from .segments import Segment, Segments

_BLOCK = 256 * 1024


class BytesMissing(OyezError):
    """A position is not in the log: its segment is not there, or only a part of it."""


class LogReader:
    """Reads the lines of a log from any position, and keeps what it has read ahead."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self._file = -1
        self._open: Segment | None = None
        self._ahead: list[bytes] = []
        self._at = self._end = self._synced = 0

    def read(self, position: int, limit: int) -> tuple[list[int], list[bytes], int]:
        """At most ``limit`` lines from a position on: where each begins, without its line feed, and the position after
        the last. A line that is not finished is left. Raises `BytesMissing`."""
        if position != self._at or not self._ahead:
            self._ahead, self._at, self._end = self._lines(position)
            position = self._at
        lines, self._ahead = self._ahead[:limit], self._ahead[limit:]
        ends = list(accumulate((len(line) + 1 for line in lines), initial=position))
        after = ends.pop()
        self._at = after if self._ahead else self._end
        return ends, lines, self._at

    def sync(self) -> None:
        """Force to disk what was read last, unless it is known to be there. OSError: it could not be.

        After a power failure a log may end before what was read of it. Its positions are then used again, by events
        that whoever keeps a position would take for those that he has.
        """
        if self._open is not None and self._end > self._synced:
            end = self._open.base + os.fstat(self._file).st_size
            os.fsync(self._file)
            self._synced = end

    def close(self) -> None:
        """Let go of the segment."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._open, self._synced = -1, None, 0

    def _lines(self, position: int) -> tuple[list[bytes], int, int]:
        """Some lines, where the first of them begins, and where the last one ends."""
        while True:
            segment = self.segments.at(position)
            if segment is None:
                if position == 0 and not self._lacks_its_beginning():
                    return [], position, position
                raise BytesMissing(f"position {position} is before the first segment that is there")
            block = self._block(segment, position)
            lines = block.split(b"\n")
            rest = lines.pop()
            if lines:
                return lines, position, position + len(block) - len(rest)
            following = self.segments.after(segment)
            if following is None:
                if not block and position > segment.base + segment.size():
                    raise BytesMissing(f"position {position} is beyond the end")
                return [], position, position
            # Read again: it may have grown, and been sealed, since the block was read.
            block = self._block(segment, position)
            if b"\n" in block:
                continue
            if position + len(block) != following.base:
                raise BytesMissing(
                    f"{segment.path.name} ends at position {position + len(block)}, the next segment begins at "
                    f"{following.base}: copy it again"
                )
            if block:
                return [block], position, following.base  # it has no line feed
            position = following.base

    def _lacks_its_beginning(self) -> bool:
        """A list may have a segment, and lack an older one that came while it was made: the next list has both."""
        return self.segments.start() > 0 and self.segments.start() > 0

    def _is_replaced(self) -> bool:
        """Whether another file has the segment's name now, as after the next run of rsync."""
        try:
            return self._open is not None and not samestat(self._open.path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _block(self, segment: Segment, position: int) -> bytes:
        """What is there from a position on, up to a whole line at least."""
        if self._open != segment or self._is_replaced():
            self.close()
            try:
                self._file = os.open(segment.path, os.O_RDONLY)
            except FileNotFoundError:
                raise BytesMissing(f"{segment.path.name} was removed while it was read") from None
            self._open = segment
        size = _BLOCK
        while True:
            block = os.pread(self._file, size, position - segment.base)
            if len(block) < size or b"\n" in block:
                return block
            size *= 2
