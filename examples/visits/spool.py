"""The folders of the spool as the import looks at them."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Connection, select

from visits.oyez_tables import member

_TAIL = 64 * 1024  # bytes, more than an event of ours has


class Spool:
    """A topic in the folders below a path, one for each server. The files are those of `docs/spool.md`."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = name

    def create(self, partitions: int) -> None:
        """Whoever announces first makes them."""

    def ends(self) -> dict[int, int]:
        """The position after the last event of each folder."""
        newest = {
            segment.parent: segment for segment in sorted(self._path.rglob("*.ndjson")) if "-" in segment.name
        }
        return dict(_end(segment) for segment in newest.values())

    def has_workers(self, db: Connection, groups: Collection[str]) -> bool:
        """Whether every group has a worker."""
        found = db.execute(select(member.c.group_name).where(member.c.group_name.in_(groups)).distinct())
        return len(found.all()) == len(groups)


def _end(segment: Path) -> tuple[int, int]:
    """The number of a segment's log, and the position after its last whole line."""
    base, _, log_id = segment.stem.split("-")
    with segment.open("rb") as file:
        file.seek(-min(_TAIL, segment.stat().st_size), os.SEEK_END)
        unfinished = file.read().rpartition(b"\n")[2]
        return int(log_id[-8:], 16) & 0x7FFF_FFFF, int(base) + file.tell() - len(unfinished)
