"""The spool, looked at; see `Inspection`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from oyez.producers.spool import Folder

from ...database import Database, members
from ...database.clock import Clock, DatabaseClock
from ..inspection import TopicFacts
from .roll import ALIVE


class SpoolInspection:
    """Looks at folders, and asks the database who reads them."""

    def __init__(self, folders: Sequence[Folder], clock: Clock | None = None) -> None:
        """``clock`` is the database's unless given."""
        self._folders = folders
        self._clock = clock or DatabaseClock()

    def about(self) -> str:
        count = len(self._folders)
        return f"{count} log{'' if count == 1 else 's'}"

    def topics(self, names: Collection[str]) -> list[TopicFacts]:
        """A segment is kept until everybody has read it, whatever is set."""
        logs = Counter(folder.topic for folder in self._folders if folder.topic in names)
        return [TopicFacts(topic, count, None, None, None) for topic, count in sorted(logs.items())]

    def workers(self, groups: Collection[str], database: Database) -> Mapping[str, int]:
        with database.reading() as db:
            alive = members.alive(db, self._clock(db) - ALIVE)
        return {group: len(alive.get(group, ())) for group in groups}

    def clock_ahead(self, now: float) -> None:
        """Files have no clock."""
