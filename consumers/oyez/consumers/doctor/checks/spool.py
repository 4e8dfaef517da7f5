"""Can the spool be written, and for how long?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from oyez.producers.spool import SpoolError, own_spool

from ..check import Check, Finding, not_checked, ok
from ..setup import NoLog, Setup

SEGMENTS = 10
"""So many segments should have room."""
MEGABYTE = 1_000_000


def look(setup: Setup) -> Sequence[Finding]:
    """The folder that this process announces into; while it is missing, the one in which it would be made."""
    settings = setup.settings
    try:
        is_the_log = _is_the_log(setup)
    except SpoolError:  # of the workers' own log: that check has said so
        return not_checked("log comes first: see there")
    if settings.spool is None and not is_the_log:
        return not_checked("no spool is set")
    spool = own_spool(settings)
    folder = _nearest(spool)
    if not folder.is_dir():
        return [Finding("wrong", f"{folder} is no folder", "set OYEZ_SPOOL to one")]
    is_there = folder == spool.absolute()
    unusable = [
        Finding("wrong", f"this process may not write to {one}", "let its user own it, or set OYEZ_SPOOL")
        for one in [folder, *(_inner(folder) if is_there else ())]
        if not os.access(one, os.W_OK | os.X_OK, effective_ids=True)
    ]
    return unusable or _room(folder, settings.spool_segment_bytes, exists=is_there, spool=spool)


def _is_the_log(setup: Setup) -> bool:
    """Whether workers read the spool itself."""
    try:
        return "spool" in setup.backend.place
    except NoLog:
        return False


def _room(folder: Path, segment: int, *, exists: bool, spool: Path) -> Sequence[Finding]:
    usage = shutil.disk_usage(folder)
    nodes = os.statvfs(folder)
    free = f"{usage.free / MEGABYTE:,.0f} MB are free for {spool}"
    if usage.free < segment or (nodes.f_files and not nodes.f_favail):
        return [Finding("wrong", f"{free}: not one more segment", "make room, before announcing fails")]
    if usage.free < SEGMENTS * segment:
        advice = "make room, or set OYEZ_SPOOL_RETENTION to delete or archive"
        return [Finding("warning", f"{free}: fewer than {SEGMENTS} segments", advice)]
    return ok(free if exists else f"{free}, which the first event makes")


def _inner(spool: Path) -> list[Path]:
    """The folders of topics."""
    return sorted(path for path in spool.iterdir() if path.is_dir())


def _nearest(path: Path) -> Path:
    """The path, or the nearest one above that is there."""
    here = path.absolute()
    return next(one for one in (here, *here.parents) if os.path.lexists(one))


CHECK = Check("spool", ("settings",), look)
