"""The segments of a log, those that were archived too."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import IO, NamedTuple

from pydantic_core import from_json

from oyez.producers.spool import Folder, SegmentName
from oyez.producers.spool.names import ARCHIVED
from oyez.producers.spool.retiring import ARCHIVE


class Piece(NamedTuple):
    """A segment in its file, which may be compressed. ``base`` is the position of its first byte in the log."""

    base: int
    created: int
    path: Path
    archived: bool

    def open(self) -> IO[bytes]:
        """Its bytes as they were written."""
        if self.archived:
            return gzip.open(self.path)  # type: ignore[return-value]
        try:
            return self.path.open("rb")
        except FileNotFoundError:  # it was archived since it was listed
            return gzip.open(self.path.parent / ARCHIVE / f"{self.path.name}{ARCHIVED}")  # type: ignore[return-value]

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line with its position; the last one lacks its line feed if it was not finished."""
        position = self.base
        with self.open() as file:
            for line in file:
                yield position, line
                position += len(line)


def followed(found: Sequence[Piece]) -> Iterator[tuple[Piece, Piece | None]]:
    """Each segment with the one that follows it, if any does."""
    return zip_longest(found, found[1:])


def pieces(folder: Folder) -> list[Piece]:
    """All segments of a log by position. One that is there in both forms is taken as it was written."""
    found: dict[int, Piece] = {}
    archive = folder.path / ARCHIVE
    # In this order: one that is archived meanwhile is in one of them, or in both.
    for path in [*folder.path.iterdir(), *(archive.iterdir() if archive.is_dir() else ())]:
        for name, archived in (
            (SegmentName.parse_archived(path.name), True),
            (SegmentName.parse(path.name), False),
        ):
            if name is not None and name.log_id == folder.log_id:
                if archived and name.base in found and not found[name.base].archived:
                    continue
                found[name.base] = Piece(name.base, name.created, path, archived)
    return [found[base] for base in sorted(found)]


def time_of(line: bytes) -> datetime | None:
    """When the event in a line was announced, if the line says so."""
    try:
        moment = datetime.fromisoformat(from_json(line)["time"])
    except (ValueError, TypeError, KeyError):
        return None
    return moment if moment.tzinfo else None
