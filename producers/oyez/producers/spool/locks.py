"""Locks that files are, between processes and threads: each opens the file for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path


class OpenFile:
    """A file that is locked by its ``number``; open as long as this object lives."""

    number = -1  # also where it could not be opened: the object ends all the same

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that a file is, against all others. OSError: it cannot be made."""
    file = OpenFile(path)
    try:
        flock(file.number, LOCK_EX)
        yield
    finally:
        flock(file.number, LOCK_UN)  # a process that was forked meanwhile has it open as well


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """The same, if nobody else holds it; whether that is so."""
    file = OpenFile(path)
    try:
        yield _is_free(file.number)
    finally:
        flock(file.number, LOCK_UN)


def _is_free(number: int) -> bool:
    """Whether a file's lock could be had; it is held then."""
    try:
        flock(number, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
