"""Locks that a shipper holds: files, as those of the spool's writers are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path

from ..forks import call_in_child

SHIP_LOCK = "ship.lock"
"""Who has it locked ships the folder."""


class FileLock:
    """A lock that a file is, against everybody else who opens it.

    A process that is forked while it is held lets go of its copy, which would keep it locked when its parent is gone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        call_in_child(self._close)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it in this block."""
        self._open()
        try:
            flock(self._file, LOCK_EX)
            yield
        finally:
            self._release()

    @contextmanager
    def held_if_free(self) -> Iterator[bool]:
        """Hold it in this block, if nobody else does; whether that is so."""
        self._open()
        try:
            yield self._is_taken()
        finally:
            self._release()

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)

    def _is_taken(self) -> bool:
        try:
            flock(self._file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(self) -> None:
        if self._file >= 0:
            flock(self._file, LOCK_UN)
            self._close()

    def _close(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)
