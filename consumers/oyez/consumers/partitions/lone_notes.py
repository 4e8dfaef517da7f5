"""Notes that an event is about to be handled alone: whoever dies on it leaves one."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from ..database import suspects
from ..database.dialects.lookup import dialect_of
from ..database.engine import Database, DatabaseAway
from ..database.positions import Partition


class LoneNotes:
    """The notes of one worker of a group, one at a time."""

    def __init__(self, database: Database, group: str) -> None:
        self._database = database
        self._group = group
        self._standing: tuple[Partition, int, int] | None = None
        self._starts: int | None = None

    def note(self, partition: Partition, epoch: int, offset: int) -> int | None:
        """Note it; returns how many workers have done so, this one counted. None if the epoch is another worker's. One
        that could not be taken back is not made twice."""
        if self._standing != (partition, epoch, offset):
            self._starts = self._database.repeat(
                lambda db: suspects.suspect(db, self._group, partition, epoch, offset)
            )
            self._standing = (partition, epoch, offset)
        return self._starts

    def excuse(self, partition: Partition, epoch: int, offset: int) -> None:
        """Take the note back, if that can be written now."""
        try:
            with self._database.transaction() as db:
                dialect_of(db).be_brief(db)
                suspects.excuse(db, self._group, partition, epoch, offset)
        except (DatabaseAway, DBAPIError):
            return
        self._standing = None
