"""Taking events out of a log of the spool, for good. Positions are bytes, so each line keeps its length: what was an
event is another one then, which says nothing.

Only segments are changed that nobody appends to any more. The new file takes the old one's name in one step; whoever
reads looks before each block which file has the name (as he has to when a copy is replaced), and finds lines that begin
where they began. Nobody archives or removes a segment meanwhile: that is what the lock of those who do is for.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .blanks import blank
from .folder import Folder, SpoolError, sync_directory
from .locks import locked_if_free
from .names import ARCHIVED, SegmentName
from .retiring import ARCHIVE, LOCK, NEW, remove_leftovers
from .segments import Segments

IsTheirs = Callable[[bytes], bool]
"""Whether a line, without its line feed, is to be forgotten."""


@dataclass
class Forgotten:
    """What was done to a log: events that were taken out, in so many segments; those that are left because they stand
    in the ``open`` segment, to which others append; and lines that are too ``short`` to be replaced."""

    events: int = 0
    segments: int = 0
    open: int = 0
    short: int = 0


def forget(folder: Folder, is_theirs: IsTheirs) -> Forgotten:
    """Take out of a log what is theirs. What is archived is rewritten too.

    `SpoolError`: somebody archives or removes segments at the moment, or the log belongs to another user, who could not
    write to it afterwards. OSError: a file cannot be read or written; the
    segments before it are done.
    """
    if os.geteuid() != folder.path.stat().st_uid:
        raise SpoolError(f"{folder.path} belongs to another user; run this as that user")
    done = Forgotten()
    with locked_if_free(folder.path / LOCK) as is_ours:
        if not is_ours:
            raise SpoolError(f"{folder.path}: its segments are being archived at the moment; try again")
        remove_leftovers(folder)
        for path in _archived(folder):
            _rewrite(path, is_theirs, done)
        segments = Segments(folder.path, folder.log_id).all()
        for segment in segments:
            if segment is segments[-1] and segment.is_open():
                done.open = sum(is_theirs(line.rstrip(b"\n")) for line in _lines(segment.path))
            else:
                _rewrite(segment.path, is_theirs, done)
    return done


def count(folder: Folder, is_theirs: IsTheirs) -> Forgotten:
    """What `forget` would do."""
    done = Forgotten()
    segments = Segments(folder.path, folder.log_id).all()
    for path in [*_archived(folder), *(segment.path for segment in segments)]:
        found = sum(is_theirs(line.rstrip(b"\n")) for line in _lines(path))
        done.events += found
        done.segments += bool(found)
    return done


def _archived(folder: Folder) -> list[Path]:
    archive = folder.path / ARCHIVE
    return [
        path
        for path in (sorted(archive.iterdir()) if archive.is_dir() else ())
        if (name := SegmentName.parse_archived(path.name)) is not None and name.log_id == folder.log_id
    ]


def _lines(path: Path) -> Iterator[bytes]:
    with _reading(path) as file:
        yield from file


def _reading(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.endswith(ARCHIVED) else path.open("rb")  # type: ignore[return-value]


def _rewrite(path: Path, is_theirs: IsTheirs, done: Forgotten) -> None:
    """Put a file into a segment's place in which what is theirs is blank, if there is any."""
    if not any(is_theirs(line.rstrip(b"\n")) for line in _lines(path)):
        return
    events = 0
    new = path.with_name(f"{path.name}{NEW}")
    with _written(new, path) as out:
        for line in _lines(path):
            record = line.rstrip(b"\n")
            other = blank(len(record)) if is_theirs(record) else None
            done.short += other is None and is_theirs(record)
            events += other is not None
            out.write(line if other is None else other + line[len(record) :])
    new.replace(path)
    sync_directory(path.parent)
    done.events += events
    done.segments += 1


@contextmanager
def _written(new: Path, old: Path) -> Iterator[IO[bytes]]:
    """A file like ``old``, which is on disk at the end of the block, or is gone if that failed."""
    mode = old.stat().st_mode & 0o777
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            if old.name.endswith(ARCHIVED):
                with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as compressed:
                    yield compressed  # type: ignore[misc] # it is one, for whoever writes bytes
            else:
                yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        new.unlink(missing_ok=True)
        raise
