"""A heartbeat: what a process says of itself, in a small file that others read.

It is written over in place, which needs no room on the disk, and has a checksum: who reads while it is written reads
again. Only the standard library is imported here: a probe is to be cheap.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from typing import NamedTuple

SIZE = 4096  # bytes; a page
LONGEST = 300  # characters of a text
LINES = 5  # halted partitions that are named
READS, PAUSE = 5, 0.01  # times that it is read, and s in between
GONE = frozenset("ZX")  # states of a process that has ended, and whose parent has not asked yet


class Beat(NamedTuple):
    """What a process says of itself. Times are seconds of the machine's clock that only goes on (`time.monotonic`)."""

    name: str
    """The process: `main`, or a worker such as "shop.page.viewed[0]"."""
    pid: int
    """0 if there is none at the moment; ``why`` says what became of it."""
    born: int
    """Tells it from another one that has this number later: see `born_at`."""
    limit: float
    """Seconds without progress that are too many."""
    at: float
    """When this was written."""
    turned: float
    """When it last came round: it looked at what there is to do."""
    progress: float
    """When it last got on, or had nothing to do."""
    doing: str
    """`starting`, `joining`, `working`, `resting` or `stopping`."""
    since: float
    """Since when."""
    waits: str = ""
    """What it waits for, such as its database; it is not to be helped by a restart."""
    halted: tuple[str, ...] = ()
    """What of its log is not read any more, and why."""
    why: str = ""
    """Where it is while it does not come round, or what the log says."""
    is_in_handler: bool = False
    """Whether it does not come round because of a handler."""


def born_at(pid: int) -> int:
    """Which process this is among those that have had this number: the tick at which it began; 0 where that is not
    told, -1 if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 # pathlib is not cheap
            state, *rest = file.read().decode(errors="replace").rpartition(")")[2].split()
            return -1 if state in GONE else int(rest[18])
    except OSError:
        return 0 if _exists(pid) else -1


def _exists(pid: int) -> bool:
    if os.path.exists("/proc/self/stat"):  # noqa: PTH110 # as above
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_alive(pid: int, born: int) -> bool:
    """Whether this very process is there."""
    return pid > 0 and born_at(pid) == born


def as_bytes(beat: Beat) -> bytes:
    """A beat as it stands in its file."""
    short = beat._replace(
        name=beat.name[:LONGEST],
        waits=beat.waits[:LONGEST],
        why=beat.why[:LONGEST],
        halted=tuple(one[:LONGEST] for one in beat.halted[:LINES]),
    )
    text = json.dumps(short._asdict()).encode()
    if len(text) > SIZE - 10:  # texts of letters that are written with six
        text = json.dumps(
            short._replace(halted=(), waits=short.waits[:99], why=short.why[:99])._asdict()
        ).encode()
    return (b"%08x %b" % (zlib.crc32(text), text)).ljust(SIZE - 1) + b"\n"


def read(path: str) -> Beat | None:
    """The beat in a file; None if there is none."""
    for tries in range(READS):
        if tries:
            time.sleep(PAUSE)
        try:
            with open(path, "rb") as file:  # noqa: PTH123 # as above
                found = file.read(SIZE)
        except OSError:
            return None
        check, _, text = found.strip().partition(b" ")
        if check == b"%08x" % zlib.crc32(text):
            said = json.loads(text)
            return Beat(**{**said, "halted": tuple(said["halted"])})
    return None
