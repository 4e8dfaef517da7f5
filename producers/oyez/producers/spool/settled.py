"""Reading what stays: whoever keeps a position behind a line must not find it gone.

A writer takes back what it could not append as a whole, or could not force to disk (`Writer.append_all`,
`syncing.Always`). It does so under the folder's lock. So what is whole while nobody holds that lock stays.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from fcntl import LOCK_NB, LOCK_SH, flock

from .folder import LOCK
from .reader import LogReader
from .segments import WRITABLE, Segment, Segments
from .tails import whole

TRIES = 50
PAUSE = (
    0.001  # s between two; a writer holds the lock for less, but for one that is frozen or waits for its disk
)


class SettledReader(LogReader):
    """Reads the lines of a log that nobody can take back any more. The others are read later."""

    def __init__(self, segments: Segments, *, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(segments)
        self._sleep = sleep
        self._settled = 0

    def close(self) -> None:
        super().close()
        self._settled = 0

    def _block(self, segment: Segment, position: int) -> bytes:
        block = super()._block(segment, position)
        if position + len(block) <= self._settled:
            return block
        self._settled = self._look(segment)
        # Again: what was read may have been taken back, and something else be there, before it was looked.
        return super()._block(segment, position)[: max(0, self._settled - position)]

    def _look(self, segment: Segment) -> int:
        """Up to which position the log stays as it is; as was known, where a writer is busy for long."""
        if not os.fstat(self._file).st_mode & WRITABLE or self.segments.after(segment) is not None:
            return sys.maxsize  # nobody appends to it
        try:
            lock = os.open(self.segments.directory / LOCK, os.O_RDONLY)
        except FileNotFoundError:
            return segment.base + whole(self._file)  # a copy: nobody writes here
        try:
            for _ in range(TRIES):
                if _is_shared(lock):
                    return segment.base + whole(self._file)
                self._sleep(PAUSE)
            return self._settled
        finally:
            os.close(lock)  # and lets go of the lock


def _is_shared(lock: int) -> bool:
    """Whether the lock could be had beside other readers; it is held then."""
    try:
        flock(lock, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return False
    return True
