"""Who reads the folders of the spool: the members of a group, as the database knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...database import committed_offsets
from ...database.clock import Clock, sleep_counting
from ...database.engine import Database, DatabaseAway
from ...database.positions import Partition
from ..log import LogAway
from .roll import Roll


class Members:
    """One member of a group, with the others."""

    def __init__(
        self,
        database: Database,
        group: str,
        name: str,
        clock: Clock | None = None,
        timer: Callable[[], float] = sleep_counting,
        roll: Roll | None = None,
    ) -> None:
        """``name`` is no other member's; ``clock`` is the database's unless given; ``roll``: the one that this member
        shares with others of its process."""
        self._database = database
        self._group = group
        self._roll = roll or Roll(database, clock, timer)
        self.name = name

    def others(self) -> list[str]:
        """The members that live, without this one. Raises `LogAway`."""
        return [name for name in self._roll.alive(self._group) if name != self.name]

    def all(self) -> list[str]:
        """The members that live, this one among them, sorted. Gives a sign of life, now and then. Raises `LogAway`."""
        self._roll.beat(self._group, self.name)
        return sorted([self.name, *self.others()])

    def leave(self) -> None:
        """Be a member no more. If that cannot be said, the others will notice."""
        self._roll.leave(self._group, self.name, self._database)

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
