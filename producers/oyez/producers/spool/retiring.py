"""What becomes of segments that nobody needs to read any more."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal

from .folder import Folder, sync_directory
from .locks import locked_if_free
from .names import ARCHIVED, SegmentName
from .segments import Segment, Segments

RETENTION = Literal["keep", "archive", "delete"]
"""What is done with a segment that was read to its end by all: nothing, compressed into ``archive/``, removed."""

ARCHIVE = "archive"
LOCK = "retire.lock"
"""Who has it locked archives or removes segments, or rewrites them."""
NEW = ".new"
"""What the name of a file ends with that is to take another's place."""


def retire(folder: Folder, until: int, retention: RETENTION, most: int | None = None) -> list[str]:
    """Archive or delete the sealed segments of a folder that end at the position ``until`` or before, the first
    ``most`` of them, or all; their names.

    OSError: the folder cannot be changed. If another process is at it, nothing is done.
    """
    done: list[str] = []
    deal_with = _WAYS.get(retention)
    if deal_with is None or not _old(folder, until):
        return done
    with locked_if_free(folder.path / LOCK) as is_ours:
        if is_ours:
            remove_leftovers(folder)
        for segment in _old(folder, until)[:most] if is_ours else ():
            deal_with(segment.path)
            done.append(segment.path.name)
    return done


def remove_leftovers(folder: Folder) -> None:
    """Remove what somebody left behind who was killed while they wrote a segment anew, or archived it. Under the lock
    only: what is there then is nobody's."""
    for directory in (folder.path, folder.path / ARCHIVE):
        for path in sorted(directory.glob(f"*-{folder.log_id}.ndjson*{NEW}")):
            if SegmentName.parse(path.name.removesuffix(NEW).removesuffix(ARCHIVED)) is not None:
                path.unlink(missing_ok=True)


def _old(folder: Folder, until: int) -> list[Segment]:
    """Never the newest: it says where the log goes on."""
    found = Segments(folder.path, folder.log_id).all()
    return [one for one, following in pairwise(found) if following.base <= until]


def _archive(path: Path) -> None:
    """Compressed, then in its place, then the original removed: a crash in between leaves both, and is made good."""
    archive = path.parent / ARCHIVE
    archive.mkdir(mode=0o700, exist_ok=True)
    new = archive / f"{path.name}{ARCHIVED}{NEW}"
    with (
        path.open("rb") as segment,
        os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
    ):
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as compressed:
            shutil.copyfileobj(segment, compressed, 1024 * 1024)
        out.flush()
        os.fsync(out.fileno())
    new.replace(archive / f"{path.name}{ARCHIVED}")
    sync_directory(archive)
    sync_directory(path.parent)  # which has the archive
    path.unlink()


_WAYS: Mapping[str, Callable[[Path], None]] = {"archive": _archive, "delete": Path.unlink}
