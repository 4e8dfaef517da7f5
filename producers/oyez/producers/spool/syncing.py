"""When what was written is forced to disk: the fsync policies."""

from __future__ import annotations

import errno
import os
import threading
import weakref
from collections.abc import Callable
from typing import Literal, Protocol

from ..loggers import logger_named

log = logger_named("oyez.spool")

FSYNC = Literal["always", "interval", "never"]
"""``always``: before `append` returns; ``interval``: within so many seconds; ``never``: when the system does."""


class Syncing(Protocol):
    """Writes to the end of the file that is open, under the writer's lock, as `os.write` does."""

    def write(self, file: int, lines: bytes, /) -> int: ...

    def finish(self, file: int) -> None:
        """The file is written to no more."""

    def sync(self) -> None:
        """Force to disk now what would be later. OSError: it could not be."""

    def close(self) -> None: ...


class Always:
    """Each record is on disk when `append` returns."""

    def write(self, file: int, lines: bytes, /) -> int:
        """What could not be forced to disk is taken back: whoever announced it hears that it was not recorded."""
        written = os.write(file, lines)
        try:
            os.fsync(file)
        except OSError:
            os.ftruncate(file, os.fstat(file).st_size - written)
            raise
        return written

    def finish(self, file: int) -> None:
        """Nothing is left to do."""

    def sync(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Nothing is left to do."""


class Never:
    """The operating system decides."""

    write = staticmethod(os.write)

    def finish(self, file: int) -> None:
        """Nothing."""

    def sync(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Interval:
    """A thread forces to disk what was written since it last did, every so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._dirty: int | None = None
        self._failed: OSError | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def write(self, file: int, lines: bytes, /) -> int:
        if self._thread is None:
            self._thread = self._started()
        written = os.write(file, lines)
        self._dirty = file  # not before: what is written after a sync has to wait for the next one
        return written

    def _started(self) -> threading.Thread:
        """OSError: the system has no more threads."""
        thread = threading.Thread(
            target=_sync_often,
            args=(weakref.ref(self), self._stop, self._seconds),
            name="oyez-spool-sync",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, str(error)) from None
        return thread

    def finish(self, file: int) -> None:
        self.sync_meanwhile()

    def sync(self) -> None:
        """Force what was written to disk. OSError: it could not be, now or by others since the last call."""
        with self._lock:
            failed, self._failed = self._failed, None
            self._force()
        if failed is not None:
            raise failed

    def sync_meanwhile(self) -> None:
        """The same, for those who did not write it: what fails is for the next `sync` to say too."""
        with self._lock:
            try:
                self._force()
            except OSError as error:
                self._failed = error
                raise

    def _force(self) -> None:
        """The lock keeps the file open meanwhile. The system tells of what it could not write once only."""
        file, self._dirty = self._dirty, None
        if file is not None:
            os.fsync(file)

    def close(self) -> None:
        self._stop.set()
        self.sync()


def syncing(policy: FSYNC, seconds: float) -> Syncing:
    """What a policy does; ``seconds`` between two syncs of ``interval``."""
    made: dict[str, Callable[[], Syncing]] = {
        "always": Always,
        "never": Never,
        "interval": lambda: Interval(seconds),
    }
    return made[policy]()


def _sync_often(of: weakref.ref[Interval], stop: threading.Event, seconds: float) -> None:
    while not stop.wait(seconds):
        interval = of()
        if interval is None:
            return
        try:
            interval.sync_meanwhile()
        except OSError as error:
            log.error("the spool could not be forced to disk: %s", error)
        del interval
