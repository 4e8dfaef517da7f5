"""The members that a process has in groups which read folders: one sign of life for all, and one look at the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.exc import DBAPIError

from ...database import members
from ...database.clock import Clock, DatabaseClock, sleep_counting
from ...database.engine import Database, DatabaseAway
from ..log import LogAway

ALIVE = 6.0  # s; a member that was not seen for so long is gone
BEAT = 1.5  # s between two signs of life
AGAIN = 0.1  # s; the same, when another writer was at work
FRESH = 0.25  # s for which those who share a roll believe what was seen of the others


class Roll:
    """Who lives, as the database knows it. One thread at a time asks it; what one has found out, the others know."""

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        timer: Callable[[], float] = sleep_counting,
        fresh: float = 0.0,
    ) -> None:
        """``clock`` is the database's unless given; ``fresh``: seconds for which a look is believed."""
        self._database = database
        self._clock = clock or DatabaseClock()
        self._timer = timer
        self._fresh = fresh
        self._lock = threading.Lock()
        self._ours: dict[tuple[str, str], bool] = {}
        self._beat_at = self._look_at = float("-inf")
        self._seen: Mapping[str, Sequence[str]] = {}

    def alive(self, group: str) -> Sequence[str]:
        """The members of a group that live. Raises `LogAway`."""
        with self._lock:
            if self._timer() >= self._look_at:
                self._look()
            return self._seen.get(group, ())

    def beat(self, group: str, name: str) -> None:
        """A member of this process lives, until it leaves. Raises `LogAway`."""
        with self._lock:
            is_known = self._ours.setdefault((group, name), False)
            if self._timer() >= self._beat_at or not is_known:
                self._beat()

    def leave(self, group: str, name: str, database: Database) -> None:
        """Be a member no more. If that cannot be said, the others will notice. ``database`` is the member's own, which
        knows whether it has been told to stop."""
        with self._lock:
            self._ours.pop((group, name), None)
        try:
            database.repeat(lambda db: members.leave(db, group, name))
        except DatabaseAway:
            return

    def _look(self) -> None:
        try:
            with self._database.reading() as db:
                self._seen = members.alive(db, self._clock(db) - ALIVE)
        except DatabaseAway as error:
            raise LogAway(str(error)) from error
        self._look_at = self._timer() + self._fresh

    def _beat(self) -> None:
        self._beat_at = self._timer() + AGAIN
        try:
            with self._database.transaction() as db:
                now = self._clock(db)
                for group, name in sorted(self._ours):
                    members.forget(db, group, now - 10 * ALIVE)
                    members.beat(db, group, name, now)
        except DatabaseAway as error:
            raise LogAway(str(error)) from error
        except DBAPIError as error:
            if not self._database.is_conflict(error):
                raise
            return  # another writer is at work; soon again
        self._ours = dict.fromkeys(self._ours, True)
        self._beat_at = self._timer() + BEAT
        self._look_at = self._timer()  # whoever is new is there
