"""Where a process writes its beats."""

from __future__ import annotations

import errno
import os

from .beat import Beat, as_bytes
from .folder import why_not

NONE = -1


class File:
    """The heartbeat of one process, in a command's folder. Each process makes its own.

    Nothing is raised. Whoever clears folders for temporary files stops nobody: file and folder are made anew.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = NONE

    def write(self, beat: Beat) -> str:
        """Say this; returns why that cannot be, empty if it is done. Later that is found out by who reads: the last
        beat grows old."""
        try:
            if self._file == NONE or not os.fstat(self._file).st_nlink:
                self._open()
            os.pwrite(self._file, as_bytes(beat), 0)
        except OSError as error:
            return str(error.strerror)
        return ""

    def _open(self) -> None:
        self.close()
        folder = os.path.dirname(self.path)  # noqa: PTH120 # as paths are everywhere in this room
        home = os.path.dirname(folder)  # noqa: PTH120
        for place in (home, folder):
            if not os.path.isdir(place):  # noqa: PTH112
                os.mkdir(place, 0o700)  # noqa: PTH102
            why = why_not(place)
            if why:  # somebody else has made it meanwhile
                raise OSError(errno.EPERM, why)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def close(self) -> None:
        """Nothing more is said here by this process."""
        if self._file != NONE:
            os.close(self._file)
            self._file = NONE
