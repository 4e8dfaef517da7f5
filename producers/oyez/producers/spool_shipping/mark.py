"""How far a log of the spool was shipped."""

from __future__ import annotations

import os
from pathlib import Path

from ..spool.folder import sync_directory

_DIGITS = 20
_TRIES = 3


class Mark:
    """A small file: everything in the log before the position in it was acknowledged.

    The position stands there twice. Where the two differ, somebody is writing at the moment, or the machine went down
    while it was written: the smaller one is right in any case, since positions only grow.
    """

    def __init__(self, directory: Path, log_id: str) -> None:
        """The log's id is in the file's name: copied together, the marks of two logs do not replace one another."""
        self.path = directory / f"shipped-{log_id}"

    def read(self) -> int | None:
        """The position; None if nothing was shipped yet."""
        found: list[int] = []
        for _ in range(_TRIES):
            try:
                found = [int(number) for number in self.path.read_bytes().split()]
            except FileNotFoundError:
                return None
            except ValueError:
                found = []
            if len(found) == 2 and found[0] == found[1]:
                return found[0]
        return min(found, default=None)

    def write(self, position: int) -> None:
        """Say that everything before a position has been acknowledged; it is on disk when this returns. OSError: it
        could not be written."""
        is_new = not self.path.exists()
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, b"%0*d %0*d\n" % (_DIGITS, position, _DIGITS, position), 0)
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            sync_directory(self.path.parent)
