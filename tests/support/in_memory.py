"""The files of tests in memory: a disk takes milliseconds for each commit of SQLite and each batch of a spool.

Nothing here crashes the machine; of a process that was killed a disk has no more than memory has.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 6_000_000_000  # bytes; a whole run has taken a tenth of it at once


def files_in_memory(environment: MutableMapping[str, str], place: Path = MEMORY) -> None:
    """Temporary files of this process and its children are in memory, if it has room and no other place is named."""
    if "TMPDIR" not in environment and has_room(place):
        environment["TMPDIR"] = str(place)
        tempfile.tempdir = None  # it is looked for again


def has_room(place: Path) -> bool:
    """Whether as much as tests need may be written here, and programs may be run from here."""
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    free = min(found.f_bavail * found.f_frsize, available())
    return free > ENOUGH and not found.f_flag & os.ST_NOEXEC and os.access(place, os.W_OK)


def available(memory: Path = Path("/proc/meminfo")) -> int:
    """The bytes of memory that may be taken."""
    lines = memory.read_text().splitlines() if memory.exists() else []
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
