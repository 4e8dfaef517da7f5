"""The segments of the spool that every group has read: archived or deleted, where that is set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection

from oyez.producers.loggers import logger_named
from oyez.producers.spool import RETENTION, Folder, retire

from ...database import committed_offsets
from ...database.engine import Database
from .member import partition_of

log = logger_named("oyez.spool")

IDLE = 60.0  # s
ARCHIVED = 1
"""Segments of a folder that are archived in a step: one takes a second or more, in which its worker reads nothing."""


class ReadSegments:
    """Looks at all folders now and then; in each sweep as long as segments wait for being archived."""

    def __init__(
        self,
        readers: Mapping[str, AbstractSet[str]],
        retention: RETENTION,
        find: Callable[[], Iterable[Folder]],
    ) -> None:
        """``readers`` are the groups that read a topic, by topic; ``find`` gives the folders that are there."""
        self._readers = readers
        self._retention = retention
        self._find = find
        self._most = ARCHIVED if retention == "archive" else None
        self._said = ""
        self.idle = IDLE

    def step(self, database: Database, now: float) -> bool:
        """All folders at once: there is mostly nothing to do."""
        done = 0
        for folder in self._find():
            with database.reading() as db:
                until = self._read_by_all(db, folder)
            if until is not None:
                done += self._retire(folder, until)
        self.idle = 0.0 if done and self._most else IDLE
        return False

    def _read_by_all(self, db: Connection, folder: Folder) -> int | None:
        """The position that every known group has reached; None if one of the readers has not begun."""
        partition = partition_of(folder)
        reached = committed_offsets.reached(db, partition)
        needed = self._readers.get(folder.topic, frozenset())
        return min(reached.values()) if reached and needed <= reached.keys() else None

    def _retire(self, folder: Folder, until: int) -> int:
        """How many segments were archived or deleted."""
        try:
            done = retire(folder, until, self._retention, self._most)
        except OSError as error:
            said = f"{folder.path}: segments that were read cannot be removed: {error.strerror}"
            if said != self._said:
                log.warning("%s", said)
            self._said = said
            return 0
        if done:
            log.info("%s: %d segments that every group has read: %s", folder.path, len(done), self._retention)
        return len(done)
