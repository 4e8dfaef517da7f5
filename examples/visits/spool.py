"""The folders of the spool as the import looks at them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Connection, select

from oyez.consumers.database.tables import member
from oyez.consumers.logs.spool.member import partition_of
from oyez.producers.spool import Segments, found_in


class Spool:
    """A topic in the folders below a path, one for each server."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = name

    def create(self, partitions: int) -> None:
        """Whoever announces first makes them."""

    def ends(self) -> dict[int, int]:
        """The position after the last event of each folder."""
        return {
            partition_of(folder).number: Segments(folder.path, folder.log_id).end()
            for folder in found_in([self._path], self.name)
        }

    def has_workers(self, db: Connection, groups: Collection[str]) -> bool:
        """Whether every group has a worker."""
        found = db.execute(select(member.c.group_name).where(member.c.group_name.in_(groups)).distinct())
        return len(found.all()) == len(groups)
