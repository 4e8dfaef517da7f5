"""The partitions that a worker holds: taken with an epoch, read from the database's position."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from .application import Group
from .database import positions
from .database.connection import HandlerConnection
from .database.engine import Database, is_conflict
from .database.positions import Held, Move, Partition
from .instruments.happenings import LogBack, LogLost
from .instruments.instrument import Instrument, logging_instrument
from .logs.log import FirstOffset, Log, LogAway

RETAKE = 10.0  # s; a worker that was thrown out of its group without noticing has noticed by then


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
        instrument: Instrument | None = None,
    ) -> None:
        self._group = group
        self._log = log
        self._database = database
        self._owner = owner
        self._first = first
        self._clock = clock
        self._instrument = instrument or logging_instrument()
        self._held: dict[Partition, Held] = {}
        self._left: dict[Partition, float] = {}
        self._is_away = False

    def follow(self) -> None:
        """Take what the log assigned since the last poll, and forget what it took away.

        What cannot be had yet, because its row is locked or the log does not answer, is tried again next time.
        """
        try:
            gained = self._log.gained()
            if gained or self._left:
                self._start(self._to_take(gained))
                self._heard()
        except LogAway as error:
            if not self._is_away:
                self._instrument.emit(LogLost(self._group.name, str(error)))
            self._is_away = True
        current = self._log.positions()
        self._held = {partition: held for partition, held in self._held.items() if partition in current}

    def _heard(self) -> None:
        if self._is_away:
            self._is_away = False
            self._instrument.emit(LogBack(self._group.name))

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

    def restore(self) -> None:
        """After a rollback: read on from the database's positions, or events would be lost.

        Partitions that another worker has taken are left. If the log still says after a while that they are this
        worker's, the other one was wrong, and they are taken again.
        """
        with self._database.reading() as db:
            found = positions.read(db, self._group.name, self._held)
        ours = {p: now for p, now in found.items() if now.epoch == self._held[p].epoch}
        for partition in [p for p in self._held if p not in ours]:
            self._log.leave(partition)
            self._left[partition] = self._clock()
        self._held = dict(ours)
        self._log.start({partition: held.position for partition, held in ours.items()})

    def _to_take(self, gained: Collection[Partition]) -> list[Partition]:
        """What was gained, without what was left just now. What was lost and assigned again is taken at once."""
        now = self._clock()
        self._left = {p: at for p, at in self._left.items() if p in gained and 0 <= now - at < RETAKE}
        return [partition for partition in gained if partition not in self._left]

    def _start(self, gained: list[Partition]) -> None:
        if not gained:
            return
        starts = self._starts(gained)
        told = self._log.told(gained)
        try:
            with self._database.transaction() as db:
                taken = self._take(db, gained, starts, told)
        except DBAPIError as error:
            if is_conflict(error):
                return  # somebody still holds the rows
            raise
        self._held.update(taken)
        self._log.start({partition: held.position for partition, held in taken.items()})

    def _take(
        self,
        db: HandlerConnection,
        gained: list[Partition],
        starts: Mapping[Partition, int],
        told: Mapping[Partition, int],
    ) -> dict[Partition, Held]:
        """Where to read from. An at-least-once group's offsets are in the log, and it needs no epoch; its rows
        say where it began. A group that was at-least-once before goes on where it told the log it was."""
        name, now = self._group.name, self._clock()
        if db.dialect.name == "postgresql":
            db.execute(text("SET LOCAL lock_timeout = '500ms'"))
        positions.begin(db, name, starts, now)
        if self._group.is_exact:
            positions.raise_to(db, name, told)
            return {p: positions.take(db, name, p, self._owner, now) for p in sorted(gained)}
        found = positions.read(db, name, gained)
        return {p: Held(told.get(p, found[p].position), 0) for p in gained}

    def _starts(self, gained: Iterable[Partition]) -> dict[Partition, int]:
        """First positions. A new group gets one for every partition of the topic at once, so that a partition
        without one is known to be added later: it is read from its beginning."""
        starts: dict[Partition, int] = {}
        for topic_id in {partition.topic_id for partition in gained}:
            ours = [partition for partition in gained if partition.topic_id == topic_id]
            with self._database.reading() as db:
                known = positions.known(db, self._group.name, topic_id)
            if not known:
                starts |= {p: self._log.first_offset(p, self._first) for p in self._log.siblings(ours[0])}
            starts |= {
                p: self._log.first_offset(p, "earliest") for p in ours if known and p.number not in known
            }
        return starts
