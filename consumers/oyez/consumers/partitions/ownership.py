"""The partitions that a worker holds: acquired with an epoch, read from the database's position."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ..core.record import Record
from ..database import positions
from ..database.clock import Clock
from ..database.dialects.lookup import dialect_of
from ..database.engine import Database, DatabaseAway
from ..database.positions import Held, Move, Partition
from ..handlers.application import Group
from ..instrumentation.emitter import Instrument, logging_instrument
from ..instrumentation.events import LogBack, LogLost, PartitionHalted
from ..logs.group_offsets import FirstOffset
from ..logs.log import Log, LogAway
from .acquire import Acquisition
from .held import has_moved, is_suspected, show_trouble, still_held, was_left
from .initial_positions import why_out_of_range
from .lone_notes import LoneNotes

LOOK_EVERY = 5.0  # s; how long a rewind may go unnoticed by a worker that commits nothing
AT_FIRST = 5.0  # s in a hurry after a start: a second of events, handled again, takes less
ACQUIRE_AGAIN = 10.0  # s; a worker that was thrown out of its group without noticing has noticed by then


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
        clock: Clock,
        timer: Callable[[], float] = time.monotonic,
        instrument: Instrument | None = None,
    ) -> None:
        self._group = group
        self._log = log
        self._database = database
        self._lone = LoneNotes(database, group.name)
        self._acquisition = Acquisition(group, log.offsets, database, owner=owner, first=first, clock=clock)
        self._clock = clock
        self._timer = timer
        self._instrument = instrument or logging_instrument()
        self._held: dict[Partition, Held] = {}
        self._left: dict[Partition, float] = {}
        self._halted: dict[Partition, str] = {}
        self._looked = timer()
        self._is_away = False
        self._hurries_until = float("-inf")
        self._suspected: list[Partition] = []
        self.is_waiting = False
        """Whether there are partitions that could not be acquired yet."""

    @property
    def held(self) -> Mapping[Partition, Held]:
        """What the database says of the partitions that are read."""
        return self._held

    @property
    def halted(self) -> Mapping[Partition, str]:
        """Why partitions that are this worker's are not read."""
        return self._halted

    @property
    def again(self) -> Mapping[tuple[str, int], int]:
        """By topic and partition: the offset below which events are handled again, where that is ahead."""
        return {
            (partition.topic, partition.number): held.again_below
            for partition, held in self._held.items()
            if held.again_below is not None and held.again_below > held.position
        }

    def look(self) -> None:
        """From time to time, see whether somebody has moved a position, or let a halted partition go on.

        Never with records in hand: they may be of a position that is given up here.
        """
        at = self._timer()
        if at - self._looked < LOOK_EVERY:
            return
        self._looked = at
        if self._held or self._halted:
            found = self._rows([*self._held, *self._halted])
            self._halted = {
                p: why for p, why in self._halted.items() if p in found and found[p].halted is not None
            }
            self._adopt(found, [p for p, held in self._held.items() if has_moved(held, found.get(p))])

    def follow(self) -> None:
        """Acquire what the log assigned since the last poll, and forget what it took away.

        What cannot be had yet, because its row is locked or the log does not answer, is tried again next time.
        """
        try:
            gained = self._log.gained()
            if out_of_range := self._log.out_of_range():
                self._halt(out_of_range)
            if gained or self._left:
                self._start(self._to_acquire(gained))
                if self._is_away:
                    self._is_away = False
                    self._instrument.emit(LogBack(self._group.name))
            settled = self._held.keys() | self._halted.keys() | self._left.keys()
            self.is_waiting = not settled.issuperset(gained)
        except LogAway as error:
            self.is_waiting = True
            if not self._is_away:
                self._instrument.emit(LogLost(self._group.name, str(error)))
            self._is_away = True
        current = self._log.positions().keys() | self._log.out_of_range().keys()
        self._release([partition for partition in self._held if partition not in current])
        self._held = {partition: held for partition, held in self._held.items() if partition in current}

    def standing(self) -> list[Move]:
        """Every partition that is read now, from the position that the database has to the log's."""
        return [
            Move(partition, held.epoch, held.position, position, held.term)
            for partition, position in self._log.positions().items()
            if (held := self._held.get(partition)) is not None
        ]

    def moves(self) -> list[Move]:
        """The partitions in which the log is further than the database."""
        return [move for move in self.standing() if move.next != move.believed]

    def take_suspected(self) -> list[Partition]:
        """What was acquired since this was last asked, and workers have died in without getting on."""
        found, self._suspected = self._suspected, []
        return found

    def suspect(self, record: Record) -> int | None:
        """Note, before an event is handled alone, that it is; returns how many workers have done so, this one
        counted. None if the partition is another worker's."""
        partition = self._partition_of(record)
        if partition is None:
            return None
        starts = self._lone.note(partition, self._held[partition].epoch, record.offset())
        self._held[partition] = replace(self._held[partition], suspect=record.offset())
        return starts

    def excuse(self, record: Record) -> None:
        """Take that note back: the worker is alive, and waits for the database."""
        partition = self._partition_of(record)
        if partition is not None:
            self._lone.excuse(partition, self._held[partition].epoch, record.offset())

    def _partition_of(self, record: Record) -> Partition | None:
        where = record.topic(), record.partition()
        return next((one for one in self._held if (one.topic, one.number) == where), None)

    def trouble(self, error: Exception) -> None:
        """Show why the group does not get on, until it does."""
        show_trouble(self._database, self._group.name, self._held, error, self._clock)

    def go_back(self, moves: Iterable[Move]) -> None:
        """Read again from where these moves end: the log has been read further than was handled."""
        self._log.start({move.partition: move.next for move in still_held(moves, self._held)})

    def moved(self, moves: list[Move], doubted: AbstractSet[Partition] = frozenset()) -> None:
        """The moves are committed here; now in the log too, whose copy is for lag tools. An at-least-once group's
        offsets are those of the log: nothing that the database may refuse comes before them. ``doubted``: those that
        are not past all that workers may have died on."""
        ours = [m for m in moves if (now := self._held.get(m.partition)) is not None and now.term == m.term]
        was_suspect = any(self._held[move.partition].suspect is not None for move in ours)
        for move in ours:
            held = replace(self._held[move.partition], position=move.next)
            self._held[move.partition] = _unsuspected(held) if self._group.is_exact else held
        told = self._log.offsets.commit({move.partition: move.next for move in ours}, self._group.promise)
        is_pressing = was_suspect or self._timer() < self._hurries_until
        if is_pressing:
            self._log.offsets.commit_now()
        if not self._group.is_exact and (told or is_pressing):
            with suppress(DatabaseAway):  # it is tried again with the next moves
                got_on = [move.partition for move in ours if move.partition not in doubted]
                self._release(p for p in got_on if p in told)
                self._release(got_on if is_pressing else [], 1)

    def restore(self) -> None:
        """After a rollback: read on from the database's positions, or events would be lost. Partitions that another
        worker has taken are left. If the log still says after a while that they are this worker's, the other one was
        wrong, and they are acquired again."""
        self._adopt(self._rows(self._held), list(self._held))

    def _rows(self, partitions: Iterable[Partition]) -> dict[Partition, Held]:
        """The database's rows. Of an at-least-once group's they are not the positions: those are in the log."""
        with self._database.reading() as db:
            found = positions.read(db, self._group.name, partitions)
        if self._group.is_exact:
            return found
        return {
            p: replace(row, position=self._held[p].position if p in self._held else row.position)
            for p, row in found.items()
        }

    def _adopt(self, found: Mapping[Partition, Held], partitions: Iterable[Partition]) -> None:
        """Read on where the rows say; leave what is another worker's, or halted."""
        starts = {}
        for partition in partitions:
            held, now = self._held.pop(partition), found.get(partition)
            if now is None or now.epoch != held.epoch:
                self._log.leave(partition)
                self._left[partition] = self._timer()
            elif now.halted is not None:
                self._log.leave(partition)
                self._note_halted(partition, now.halted)
            else:
                self._held[partition] = replace(now, term=held.term)
                starts[partition] = now.position
        self._log.start(starts)

    def _halt(self, out_of_range: Mapping[Partition, int]) -> None:
        """What cannot be read on is written down for all to see, and not acquired again until that is cleared."""
        for partition, position in out_of_range.items():
            held = self._held.get(partition)
            if held is None:
                continue
            reason = why_out_of_range(self._log.offsets, self._group.name, partition, position)
            halt = partial(self._write_halt, partition=partition, held=held, reason=reason)
            if self._database.repeat(halt):
                self._note_halted(partition, reason)
            else:
                self._left[partition] = self._timer()
            del self._held[partition]

    def _write_halt(self, db: Connection, partition: Partition, held: Held, reason: str) -> bool:
        return positions.halt(db, self._group.name, partition, held, reason, self._clock(db))

    def _note_halted(self, partition: Partition, reason: str) -> None:
        if partition not in self._halted:
            self._halted[partition] = reason
            self._instrument.emit(
                PartitionHalted(self._group.name, partition.topic, partition.number, reason)
            )

    def release(self) -> None:
        """The worker ends as it should: nobody died on what comes next."""
        self._release(list(self._held))
        if not self._group.is_exact and self._held:
            # Kafka forgets what a group committed some days after its last member has left. These rows do not.
            kept = {p: held.position for p, held in self._held.items()}
            self._database.repeat(lambda db: positions.raise_to(db, self._group.name, kept))

    def _release(self, partitions: Iterable[Partition], acquisitions: int = 0) -> None:
        """Nobody has died on these. Only a courtesy: if the row is locked, its next owner is careful for a while.
        With one left of its ``acquisitions`` that one hurries. Raises `DatabaseAway`."""
        counted = {
            p: held
            for p in partitions
            if (held := self._held[p]).acquisitions > acquisitions or held.suspect is not None
        }
        if not counted:
            return
        try:
            with self._database.transaction() as db:
                dialect_of(db).be_brief(db)
                epochs = {p: held.epoch for p, held in counted.items()}
                positions.release(db, self._group.name, epochs, acquisitions)
        except DBAPIError as error:
            if not self._database.is_conflict(error):
                raise
            return
        self._held |= {p: _unsuspected(held, acquisitions) for p, held in counted.items()}

    def _to_acquire(self, gained: Collection[Partition]) -> list[Partition]:
        """What was gained, without what was left just now. What was lost and assigned again is acquired at once."""
        now = self._timer()
        self._left = {p: at for p, at in self._left.items() if p in gained and now - at < ACQUIRE_AGAIN}
        self._halted = {p: why for p, why in self._halted.items() if p in gained}
        return [p for p in gained if p not in self._left and p not in self._halted]

    def _start(self, gained: list[Partition]) -> None:
        if not gained:
            return
        acquired = self._acquisition.acquire(gained)
        self._held.update(acquired.held)
        self._suspected += [p for p, held in acquired.held.items() if is_suspected(held)]
        self._log.start({partition: held.position for partition, held in acquired.held.items()})
        if not self._group.is_exact and any(map(was_left, acquired.held.values())):
            self._hurries_until = self._timer() + AT_FIRST
        for partition, row in acquired.halted.items():
            self._note_halted(partition, str(row.halted))


def _unsuspected(held: Held, acquisitions: int = 0) -> Held:
    return replace(held, acquisitions=acquisitions, suspect=None, starts=0)
