"""The spool, as it is set: see `LogBackend`."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from uuid import uuid4

from oyez.producers.loggers import logger_named
from oyez.producers.spool import Folder, check_readable

from ...core.counted import Unit
from ...database.engine import Database
from ..keepalive import KeepAlive
from ..settings import LogSettings
from .folders import ReadableLogs, logs_read, require_folders, spools_read
from .inspection import SpoolInspection
from .member import SpoolLog
from .members import Members
from .offsets import SpoolOffsets
from .retention import ReadSegments
from .roll import FRESH, Roll
from .tail import SpoolTail

log = logger_named("oyez")


class SpoolBackend:
    """Folders with one log each, and members of groups that know one another by the database."""

    buffer = None
    unit: Unit = "bytes"

    def __init__(self, settings: LogSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._roll: Roll | None = None

    @property
    def where(self) -> str:
        return f"the spool at {self.place['spool']}"

    @property
    def place(self) -> Mapping[str, str]:
        return {"spool": ", ".join(str(path) for path in spools_read(self._settings))}

    def check(self) -> None:
        """This process's own folder is made when something is announced."""
        require_folders(self._settings.spools)
        check_readable(logs_read(self._settings))

    def probe(self) -> None:
        """Folders answer."""

    def join(
        self, group: str, topics: Sequence[str], database: Database, worker: int | None = None
    ) -> KeepAlive:
        found = ReadableLogs(self._settings)

        def ours() -> list[Folder]:
            return [folder for folder in found() if folder.topic in topics]

        return KeepAlive(SpoolLog(ours, _member(group, database, self._shared_roll(database))))

    def _shared_roll(self, database: Database) -> Roll:
        """That of all who join by this backend, whichever of them comes first."""
        with self._lock:
            self._roll = self._roll or Roll(Database(database.engine), fresh=FRESH)
            return self._roll

    def join_alone(self, group: str, topics: Sequence[str], database: Database) -> KeepAlive | None:
        others = _member(group, database).others()
        if others:
            log.info("%s is being read by %s", group, ", ".join(others))
            return None
        return self.join(group, topics, database)

    def offsets(self, database: Database) -> SpoolOffsets:
        return SpoolOffsets(logs_read(self._settings), database)

    def tail(self, topics: Collection[str]) -> SpoolTail:
        return SpoolTail(ReadableLogs(self._settings), topics)

    def inspection(self) -> SpoolInspection:
        return SpoolInspection(logs_read(self._settings))

    def retention(self, readers: Mapping[str, AbstractSet[str]]) -> ReadSegments | None:
        if self._settings.spool_retention == "keep":
            return None
        return ReadSegments(readers, self._settings.spool_retention, ReadableLogs(self._settings))


def _member(group: str, database: Database, roll: Roll | None = None) -> Members:
    """A new member of a group."""
    name = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
    return Members(database, group, name, roll=roll)


def from_settings(settings: LogSettings) -> SpoolBackend:
    """The log named "spool"."""
    return SpoolBackend(settings)
