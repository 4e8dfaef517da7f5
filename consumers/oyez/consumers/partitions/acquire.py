"""Acquiring partitions: an epoch for each, from the row that says where to read on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from sqlalchemy.exc import DBAPIError

from ..database import committed_offsets, positions
from ..database.clock import Clock
from ..database.connection import HandlerConnection
from ..database.dialects.lookup import dialect_of
from ..database.engine import Database
from ..database.positions import Held, Partition, is_folder
from ..handlers.application import Group
from ..logs.group_offsets import FirstOffset, GroupOffsets
from .initial_positions import InitialPositions, initial_positions


@dataclass(frozen=True)
class Acquired:
    """What was acquired, and the rows of what is not to be read."""

    held: Mapping[Partition, Held]
    halted: Mapping[Partition, Held]


class Acquisition:
    """Acquires partitions for one worker."""

    def __init__(
        self,
        group: Group,
        offsets: GroupOffsets,
        database: Database,
        *,
        owner: str,
        first: FirstOffset,
        clock: Clock,
    ) -> None:
        self._group = group
        self._offsets = offsets
        self._database = database
        self._owner = owner
        self._first = first
        self._clock = clock
        self._terms = count(1)

    def acquire(self, gained: Collection[Partition]) -> Acquired:
        """Acquire what can be had now. What a batch, or a worker that is frozen in one, has locked is left for the next
        time, and does not hold up the others. Raises `LogAway`."""
        first = initial_positions(self._database, self._offsets, self._group.name, gained, self._first)
        committed = self._offsets.committed(gained)
        try:
            return self._in_one(partial(self._acquire, gained=gained, first=first, committed=committed))
        except DBAPIError as error:
            if not self._database.is_conflict(error):
                raise
        try:
            return self._in_one(partial(self._acquire_free, gained=gained, first=first, committed=committed))
        except DBAPIError as error:
            if not self._database.is_conflict(error):
                raise
            return Acquired({}, {})

    def _in_one(self, work: Callable[[HandlerConnection], Acquired]) -> Acquired:
        with self._database.transaction() as db:
            dialect_of(db).be_brief(db)
            return work(db)

    def _acquire_free(
        self,
        db: HandlerConnection,
        gained: Collection[Partition],
        first: list[InitialPositions],
        committed: Mapping[Partition, int],
    ) -> Acquired:
        return self._acquire(db, positions.free(db, self._group.name, gained), first, committed)

    def _acquire(
        self,
        db: HandlerConnection,
        gained: Collection[Partition],
        first: list[InitialPositions],
        committed: Mapping[Partition, int],
    ) -> Acquired:
        """Where to read from. An at-least-once group's offsets are in the log, and it needs no epoch; its rows say how
        far it was at least, should the log forget them. A group that was at-least-once before goes on where it
        committed; in a folder of the spool, that is asked here and done with then."""
        name, now = self._group.name, self._clock(db)
        for one in first:
            one.write(db, name, now)
        if self._group.is_exact:
            folders = {partition for partition in gained if is_folder(partition.topic_id)}
            elsewhere = {p: offset for p, offset in committed.items() if p not in folders}
            committed = elsewhere | committed_offsets.take(db, name, folders)
        positions.raise_to(db, name, {p: offset for p, offset in committed.items() if p in gained})
        if self._group.is_exact:
            rows = {p: positions.acquire(db, name, p, self._owner, now) for p in sorted(gained)}
            held = {partition: row for partition, row in rows.items() if row is not None}
        else:
            found = positions.count_acquisitions(db, name, gained)
            held = {p: replace(row, position=committed.get(p, row.position)) for p, row in found.items()}
        term = next(self._terms)
        held = {p: replace(row, term=term) for p, row in held.items()}
        rest = positions.read(db, name, set(gained) - held.keys())
        # What has no reason any more, somebody has cleared just now.
        return Acquired(held, {p: row for p, row in rest.items() if row.halted is not None})
