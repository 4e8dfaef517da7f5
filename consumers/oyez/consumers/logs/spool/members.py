"""Who reads the folders of the spool: the members of a group, as the database knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy.exc import DBAPIError

from ...database import committed_offsets, members
from ...database.clock import Clock, DatabaseClock, sleep_counting
from ...database.engine import Database, DatabaseAway
from ...database.positions import Partition
from ..log import LogAway

ALIVE = 6.0  # s; a member that was not seen for so long is gone
BEAT = 1.5  # s between two signs of life


class Members:
    """One member of a group, with the others."""

    def __init__(
        self,
        database: Database,
        group: str,
        name: str,
        clock: Clock | None = None,
        timer: Callable[[], float] = sleep_counting,
    ) -> None:
        """``name`` is no other member's; ``clock`` is the database's unless given."""
        self._database = database
        self._group = group
        self._clock = clock or DatabaseClock()
        self._timer = timer
        self._beaten = float("-inf")
        self.name = name

    def others(self) -> list[str]:
        """The members that live, without this one. Raises `LogAway`."""
        try:
            with self._database.reading() as db:
                found = members.alive(db, self._group, self._clock(db) - ALIVE)
        except DatabaseAway as error:
            raise LogAway(str(error)) from error
        return [name for name in found if name != self.name]

    def all(self) -> list[str]:
        """The members that live, this one among them, sorted. Gives a sign of life, now and then. Raises `LogAway`."""
        if self._timer() - self._beaten >= BEAT:
            self._beat()
        return sorted([self.name, *self.others()])

    def leave(self) -> None:
        """Be a member no more. If that cannot be said, the others will notice."""
        try:
            self._database.repeat(lambda db: members.leave(db, self._group, self.name))
        except DatabaseAway:
            return

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offsets that the group committed as an at-least-once one. Raises `LogAway`."""
        try:
            with self._database.reading() as db:
                return committed_offsets.read(db, self._group, partitions)
        except DatabaseAway as error:
            raise LogAway(str(error)) from error

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Keep them. If the database is away, the next ones will be kept."""
        try:
            self._database.repeat(lambda db: committed_offsets.write(db, self._group, positions))
        except DatabaseAway:
            return

    def _beat(self) -> None:
        try:
            with self._database.transaction() as db:
                now = self._clock(db)
                members.forget(db, self._group, now - 10 * ALIVE)
                members.beat(db, self._group, self.name, now)
        except DatabaseAway as error:
            raise LogAway(str(error)) from error
        except DBAPIError as error:
            if not self._database.is_conflict(error):
                raise
            return  # another writer is at work; soon again
        self._beaten = self._timer()
