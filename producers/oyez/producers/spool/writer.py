"""Appending to a log of the spool, beside other processes and threads that do the same."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_UN, flock
from mmap import mmap
from os import SEEK_END, lseek
from os.path import samestat
from pathlib import Path
from typing import NoReturn

from ..forks import call_in_child
from .folder import LOCK, Folder, sync_directory
from .locks import OpenFile
from .names import SegmentName
from .segments import Segment, Segments, seal
from .syncing import FSYNC, syncing
from .tails import repair

# Bytes of the lock file: how many segments were begun, as every process that has it open sees at once.
_COUNTER = 8


LOOK = 1.0
"""Seconds after which a writer looks whether its segment still is where it was."""


class FolderGone(FileNotFoundError):
    """The folder, or its newest segment, was moved or removed."""


class Writer:
    """Appends records, one a line, to the newest segment of a folder.

    `flock` on the folder's own file keeps processes apart, and threads too, since each opens that file for itself.
    Nothing is overwritten: what was appended by a process that died in the middle is taken away before the next
    record, and was announced by nobody.
    """

    def __init__(
        self,
        path: Path,
        topic: str,
        *,
        fsync: FSYNC = "interval",
        interval: float = 1.0,
        segment_bytes: int = 64 * 1024 * 1024,
        segment_seconds: float = 3600.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A new segment is begun when one has ``segment_bytes``, or is ``segment_seconds`` old; ``interval`` is in
        seconds. The folder is made with the first record."""
        self.path = path
        self._topic = topic
        self._policy = fsync, interval
        self._limit = segment_bytes
        self._age = segment_seconds
        self._clock = clock
        self._least = "", 0
        self._begin()
        call_in_child(self._begin_in_child)

    def _begin(self) -> None:
        # Each thread's lock file. Whoever uses it keeps this object meanwhile, and looks whether it still counts.
        self._here = threading.local()
        self._syncing = syncing(*self._policy)
        self._put = self._syncing.write
        self._segments: Segments | None = None
        self._file = -1
        self._shared: memoryview | list[int] = [-1]
        self._begun = -2
        self._base = self._end = 0
        self._ends = self._until = 0.0

    def append(self, record: bytes) -> None:
        """Append a record that holds no line feed.

        OSError: there is no room, or the folder cannot be written to; nothing was recorded. `SpoolError`: the folder is
        another topic's, or damaged.
        """
        line = record + b"\n"
        here = self._here
        try:
            lock = here.number
        except AttributeError:
            lock = self._open_lock(here)
        try:
            flock(lock, LOCK_EX)
            if here is not self._here:
                raise FolderGone
            end, size, file = self._end, len(line), self._file
            # Whether all is as this writer left it, in the order of what is soonest asked.
            if (
                end + size > self._limit
                or self._shared[0] != self._begun
                or lseek(file, 0, SEEK_END) != end
                or self._clock() > self._until
            ):
                self._write(line)
            elif self._put(file, line) == size:
                self._end = end + size
            else:
                self._refuse(end)
            return
        except FolderGone:
            self._leave(here)
        finally:
            flock(lock, LOCK_UN)
        self.append(record)

    def append_all(self, records: Sequence[bytes]) -> None:
        """Append several: all of them, or none."""
        with self.held():
            self._write(b"\n".join((*records, b"")))

    def append_unless(self, needless: Callable[[int], bool], record: bytes) -> bool:
        """Append a record, unless ``needless(end)`` is true of the position at which the log ends; whether it was
        appended. Nobody appends in between."""
        with self.held():
            size = self._size()
            if needless(self._base + size):
                return False
            self._write(record + b"\n")
        return True

    def end(self) -> int:
        """The position at which the log ends, once a record that was not finished is taken away."""
        with self.held():
            size = self._size()
            return self._base + size

    def roll(self) -> None:
        """Begin a new segment, unless the newest is empty: nobody appends to what was written until now."""
        with self.held():
            if self._size():
                self._rotate()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against all others: what is asked in this block stays true until its end."""
        while True:
            here = self._here
            lock = self._lock_of(here)
            try:
                flock(lock, LOCK_EX)
                if here is self._here and self._is_there():
                    yield
                    return
                self._leave(here)
            finally:
                flock(lock, LOCK_UN)

    def flush(self) -> None:
        """Force to disk what the fsync policy has left for later. OSError: it could not be."""
        self._syncing.sync()

    def close(self) -> None:
        """Force to disk what is to be, and let go of the files. A later `append` opens them again."""
        here = self._here
        if self._segments is None:
            return
        if not hasattr(here, "number") and not self.path.exists():
            self._let_go()  # a folder that is gone is not made again for this
            return
        lock = self._lock_of(here)
        try:
            flock(lock, LOCK_EX)
            if here is self._here:
                self._let_go()
        finally:
            flock(lock, LOCK_UN)

    def _lock_of(self, here: threading.local) -> int:
        number: int | None = getattr(here, "number", None)
        return self._open_lock(here) if number is None else number

    def _open_lock(self, here: threading.local) -> int:
        """The lock file, for the thread that asks; closed when it ends. The folder is made if it is not there."""
        Folder.create(self.path, self._topic)
        here.file = file = OpenFile(self.path / LOCK)
        here.number = file.number
        return file.number

    def _open(self) -> Segments:
        self.log_id = Folder.open(self.path).log_id
        with (self.path / LOCK).open("r+b", buffering=0) as lock:
            if os.fstat(lock.fileno()).st_size < _COUNTER:
                os.pwrite(lock.fileno(), bytes(_COUNTER), 0)  # in a hole, a full disk is a SIGBUS
            self._opened = os.fstat(lock.fileno())
            self._shared = memoryview(mmap(lock.fileno(), _COUNTER)).cast("Q")
        self._segments = Segments(self.path, self.log_id)
        return self._segments

    def _write(self, lines: bytes) -> None:
        size, now = self._size(), self._clock()
        if size and (size + len(lines) > self._limit or now > self._ends):
            self._rotate()
            size = 0
        if self._put(self._file, lines) < len(lines):
            self._refuse(size)
        self._end = size + len(lines)
        self._until = min(self._ends, now + LOOK)

    def _refuse(self, size: int) -> NoReturn:
        """Take a part of a line away again: there was no room for the rest."""
        self._end = -1
        os.ftruncate(self._file, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _size(self) -> int:
        """The size of the segment that is to be written to, which is opened if it is not."""
        if not self._is_there():
            raise FolderGone(errno.ENOENT, "it was moved or removed while it was written to", str(self.path))
        if self._file >= 0 and self._shared[0] == self._begun:
            size = lseek(self._file, 0, SEEK_END)
            return size if size == self._end else repair(self._file)
        return self._open_newest()

    def _open_newest(self) -> int:
        self._finish_file()
        newest = (self._segments or self._open()).newest()
        if newest is None or not newest.is_open():
            log_id, least = self._least
            end = 0 if newest is None else newest.base + newest.size()
            self._create(max(end, least) if log_id == self.log_id else end)
            return 0
        self._file = os.open(newest.path, os.O_RDWR | os.O_APPEND)
        self._take(newest)
        return repair(self._file)

    def _rotate(self) -> None:
        end = self._base + os.fstat(self._file).st_size
        seal(self._file)
        self._finish_file()
        self._create(end)

    def _create(self, base: int) -> None:
        """First the counter: whoever has another segment open must look again before the new one is there."""
        self._shared[0] += 1
        name = SegmentName(base, int(self._clock()), self.log_id)
        path = self.path / str(name)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            raise FolderGone from None
        self._take(Segment(base, path, name.created))
        sync_directory(self.path)

    def _take(self, segment: Segment) -> None:
        self._begun = self._shared[0]
        self._base, self._end = segment.base, 0
        self._name, self._ends = segment.path, segment.created + self._age

    def _is_there(self) -> bool:
        """Whether what is open still has its name: the lock, and the segment if it is the newest."""
        if self._segments is None:
            return True
        try:
            if not samestat((self.path / LOCK).stat(), self._opened):
                return False
            is_newest = self._file >= 0 and self._shared[0] == self._begun
            return not is_newest or samestat(self._name.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _leave(self, here: threading.local) -> None:
        """Let go of a folder that was moved or removed, unless another thread has. Should the log go on in it, its
        positions are not used again."""
        if here is self._here:
            if self._file >= 0:
                self._least = self.log_id, self._base + os.fstat(self._file).st_size
            self._let_go()

    def _let_go(self) -> None:
        try:
            self._syncing.close()
        finally:
            self._close_file()
            self._begin()

    def _finish_file(self) -> None:
        if self._file >= 0:
            self._syncing.finish(self._file)
            self._close_file()

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file, self._begun = -1, -2

    def _begin_in_child(self) -> None:
        """In a forked child: the parent's lock would be ours too, and so keep nobody apart."""
        self._close_file()
        self._begin()
