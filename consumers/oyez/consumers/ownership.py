"""The partitions that a worker holds: taken with an epoch, read from the database's position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from .application import Group
from .database import positions
from .database.connection import HandlerConnection
from .database.engine import Database, is_conflict
from .database.positions import Held, Move, Partition
from .logs.log import FirstOffset, Log


class Ownership:
    """What one worker holds of its group's partitions. Offsets move only together with what they mean."""

    def __init__(
        self,
        group: Group,
        log: Log,
        database: Database,
        *,
        owner: str,
        first: FirstOffset,
        clock: Callable[[], float],
    ) -> None:
        self._group = group
        self._log = log
        self._database = database
        self._owner = owner
        self._first = first
        self._clock = clock
        self._held: dict[Partition, Held] = {}

    def follow(self) -> None:
        """Take what the log assigned since the last poll, and forget what it took away."""
        gained = self._log.gained()
        if gained:
            self._start(gained)
        current = self._log.positions()
        self._held = {partition: held for partition, held in self._held.items() if partition in current}

    def moves(self) -> list[Move]:
        """From the positions that the database has to the log's."""
        return [
            Move(partition, held.epoch, held.position, position)
            for partition, position in self._log.positions().items()
            if (held := self._held.get(partition)) is not None and held.position != position
        ]

    def moved(self, moves: list[Move]) -> None:
        """The moves are committed; tell the log, whose copy is for lag tools."""
        for move in moves:
            if move.partition in self._held:
                self._held[move.partition] = replace(self._held[move.partition], position=move.next)
        self._log.tell({move.partition: move.next for move in moves}, self._group.promise)

    def restore(self) -> list[Partition]:
        """After a rollback: read on from the database's positions, or events would be lost.

        Partitions that another worker has taken are left until they are assigned again; returns those.
        """
        if not self._group.is_exact:
            self._log.start({partition: held.position for partition, held in self._held.items()})
            return []
        with self._database.reading() as db:
            found = positions.read(db, self._group.name, self._held)
        ours = {p: now for p, now in found.items() if now.epoch == self._held[p].epoch}
        lost = [p for p in self._held if p not in ours]
        for partition in lost:
            self._log.leave(partition)
        self._held = dict(ours)
        self._log.start({partition: held.position for partition, held in ours.items()})
        return lost

    def _start(self, gained: list[Partition]) -> None:
        if not self._group.is_exact:
            held = {partition: Held(self._told_or_first(partition), 0) for partition in gained}
        else:
            taken = self._take(gained)
            if taken is None:
                return  # somebody still holds the rows; the next round tries again, polling in between
            held = taken
        self._held.update(held)
        self._log.start({partition: at.position for partition, at in held.items()})

    def _take(self, gained: list[Partition]) -> dict[Partition, Held] | None:
        starts = self._starts(gained)

        def take(db: HandlerConnection) -> dict[Partition, Held]:
            if db.dialect.name == "postgresql":
                db.execute(text("SET LOCAL lock_timeout = '500ms'"))
            now = self._clock()
            positions.begin(db, self._group.name, starts, now)
            return {p: positions.take(db, self._group.name, p, self._owner, now) for p in sorted(gained)}

        try:
            with self._database.transaction() as db:
                return take(db)
        except DBAPIError as error:
            if is_conflict(error):
                return None
            raise

    def _starts(self, gained: list[Partition]) -> dict[Partition, int]:
        """First positions. A new group gets one for every partition of the topic at once, so that a partition
        without one is known to be added later: it is read from its beginning."""
        starts: dict[Partition, int] = {}
        for topic_id in {partition.topic_id for partition in gained}:
            ours = [partition for partition in gained if partition.topic_id == topic_id]
            with self._database.reading() as db:
                known = positions.known(db, self._group.name, topic_id)
            if not known:
                starts |= {p: self._told_or_first(p) for p in self._log.siblings(ours[0])}
            starts |= {
                p: self._log.first_offset(p, "earliest") for p in ours if known and p.number not in known
            }
        return starts

    def _told_or_first(self, partition: Partition) -> int:
        told = self._log.told(partition)
        return self._log.first_offset(partition, self._first) if told is None else told
