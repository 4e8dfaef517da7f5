"""One round of a worker's reading: assign, poll, decode, execute, advance."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from oyez.schemas.declaration import Prerequisite

from ..core.apart import OWN, ProcessKind
from ..core.record import Record
from ..core.report import Report
from ..database.engine import DatabaseAway
from ..database.positions import Move, Partition
from ..execution.ask_met_by import record_answers
from ..execution.at_least_once import AtLeastOnceBatch, AtLeastOnceExecution
from ..execution.batch import Batch, Fenced, decode
from ..execution.broken_deploy import HandlersBroken
from ..execution.careful import LONE_DEATHS
from ..execution.execution import Execution
from ..execution.memory import Memory
from ..execution.reader import Reader
from ..execution.readiness import ask
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..logs.log import Log
from ..partitions.ownership import Ownership
from .alone import Alone
from .in_step import InStep, Stopped
from .placement import LOOKS, Placement
from .retry_loop import RetryLoop, having_failed
from .tried_again import GroupPaused, SettledAgain, TriedAgain, Work

POLL = 0.02  # s; how long a poll waits for a first record, and so how late a wake-up may be heard
QUIET, QUIET_POLL = 1.0, 0.1  # s; the same where nothing has happened for so long
FIRST, OFTEN = 3, 8  # the first batches are looked at for where their keys are, and every eighth
PAUSES = (0.005, 0.015, 0.03)  # s; 50 ms that a batch waits for what it requires, asking in between

T = TypeVar("T")


class Round(NamedTuple):
    """What a round did: how many records were read, and what was committed; nothing if it was another worker's."""

    records: int
    reports: Sequence[Report] = ()


class Reading(InStep):
    """Reads a group's log for one worker, a batch at a time."""

    def __init__(
        self,
        execution: Execution,
        reader: Reader,
        source: Log,
        ownership: Ownership,
        retry_loop: RetryLoop,
        instrument: Instrument,
        *,
        placement: Placement,
        process: ProcessKind = OWN,
        batch: int = 500,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._execution = execution
        self._group = execution.group
        self._in_place = AtLeastOnceExecution(execution)
        self._reader = reader
        self._requires = any(handler.requires for handler in execution.group.handlers)
        self._log = source
        self._ownership = ownership
        self._moved: Callable[[list[Move]], None] = ownership.moved
        self._retry_loop = retry_loop
        self._emit = instrument.emit
        self._batch = batch
        self._sleep = sleep
        self._timer = timer
        self._batches = 0
        self._placement = placement
        self._alone = Alone(batch)
        self._process = process
        self._stirred = timer()

    @property
    def paused(self) -> Sequence[str]:
        """What of the group is paused, in words."""
        paused = self._execution.pauses.now
        return () if paused is None else paused.said

    @property
    def is_paused(self) -> bool:
        """Whether the whole group is paused: then nothing is read."""
        paused = self._execution.pauses.now
        return paused is not None and paused.is_whole

    def stir(self) -> None:
        """Something has happened, or waits: the next polls are short again."""
        self._stirred = self._timer()

    def round(self, stopped: Stopped, most: int | None = None) -> Round:
        """Read and handle the next records of the log, ``most`` of them if that is less than a batch.

        Positions that somebody has moved are looked for before the poll, never with records in hand: they may be of
        a position that is given up. What the log assigned or took away in the poll is followed before anything is
        handled: records of a partition that is lost are another worker's by now. Only what is committed advances.
        """
        self._steadily(self._ownership.look, stopped)
        polled = {p: held.term for p, held in self._ownership.held.items()}
        self._steadily(self._execution.pauses.look, stopped)
        if self.is_paused:
            return self._rest(stopped)
        limit = min(self._limit(), self._batch if most is None else most)
        wait = QUIET_POLL if self._timer() - self._stirred > QUIET else POLL
        records = self._log.poll(limit, wait)
        self._steadily(self.follow, stopped)
        if not records:
            return Round(0)
        self._stirred = self._timer()
        report = self.handle(records, polled, stopped, is_full=len(records) >= limit)
        return Round(len(records), () if report is None else (report,))

    def follow(self) -> None:
        """Take what the log assigned, let go of what it took away, and be careful where workers have died."""
        self._ownership.follow()
        if suspected := self._ownership.take_suspected():
            self._process.require_own("workers died here, and events are handled one by one")
            self._alone.begin(suspected)
            self._emit(events.Suspecting(self._group.name, self._batch))

    def _rest(self, stopped: Stopped) -> Round:
        """Stay in the group, take the partitions that it deals, and read nothing of them."""
        self._log.idle()
        self._steadily(self.follow, stopped)
        self._sleep(QUIET_POLL)
        return Round(0)

    def _limit(self) -> int:
        """How many records are polled at most."""
        if self._alone.left:
            self._alone.keep(self._ownership.held, self._log.lags())
        return 1 if self._alone.left else self._batch

    def handle(
        self, records: Sequence[Record], polled: Mapping[Partition, int], stopped: Stopped, *, is_full: bool
    ) -> Report | None:
        """Decode, execute, advance: what was committed of these records; None if nothing of them was the group's, or
        another worker has their partitions."""
        began = self._timer()
        batch = self.decode(records, polled)
        lone = records[0] if self._alone.left and self._alone.is_lone(records) else None
        report = self._execute(batch, lone, stopped, is_full=is_full)
        if report is not None:
            seconds = self._timer() - began
            count = len(batch.decoded.envelopes)
            self._emit(events.BatchHandled(self._group.name, count, seconds, report))
            self._batches += 1
            if is_looked_at(self._batches):
                self._look_at_places(batch, stopped)
        return report

    def _look_at_places(self, batch: Batch, stopped: Stopped) -> None:
        """Whether keys are where they belong; what is found is written about once a minute."""
        self._placement.look(batch.decoded.every(max(1, batch.size // LOOKS)))
        if self._placement.is_due():
            self._steadily(
                lambda: self._placement.write(self._execution.database, self._execution.clock), stopped
            )

    def decode(self, records: Sequence[Record], polled: Mapping[Partition, int]) -> Batch:
        """What these records are to the group. Those of partitions that were lost since they were ``polled``, in these
        terms, are left out: one that has come back is read anew."""
        standing = self._ownership.standing()
        kept = {move.partition for move in standing if polled.get(move.partition, move.term) == move.term}
        if not polled.keys() <= kept:
            names = {(partition.topic, partition.number) for partition in kept}
            records = [record for record in records if (record.topic(), record.partition()) in names]
        topic_ids = {(partition.topic, partition.number): partition.topic_id for partition in kept}
        moves = [move for move in standing if move.next != move.believed]
        kind = Batch if self._group.is_exact else AtLeastOnceBatch
        paused = self._execution.pauses.now
        batch = kind(self._group, moves=moves, again=self._ownership.again, paused=paused)
        return decode(batch, self._reader, records, topic_ids)

    def _execute(
        self, batch: Batch, lone: Record | None, stopped: Stopped, *, is_full: bool
    ) -> Report | None:
        """Handle a batch and advance; ``lone`` is its only record, if workers have died in that one's partition."""
        if not batch.decoded.envelopes and not batch.undecodable:
            return None
        work: Work
        if isinstance(batch, AtLeastOnceBatch):
            work = self._at_least_once
        else:
            batch = self.make_ready(batch, stopped, is_full=is_full) if self._requires else batch
            work = partial(self._handle, Memory())
        if lone is not None:
            self._alone.count(lone)
            work = partial(self._alone_with, lone, work)
        return self._advance(batch, stopped, work)

    def _handle(self, memory: Memory, batch: Batch, stopped: Stopped) -> Report:
        try:
            return self._execution.handle(batch, stopped, memory)
        except (DatabaseAway, HandlersBroken):
            memory.try_again()
            raise

    def _alone_with(self, record: Record, work: Work, batch: Batch, stopped: Stopped) -> Report:
        """Do the work with a note of it, which stays if this worker dies. Where workers have died on the event each
        time that they ran it alone, it is given up."""
        starts = self._ownership.suspect(record)
        if starts is not None and starts > LONE_DEATHS:
            where = (record.topic(), record.partition(), record.offset())
            self._emit(events.EventKilledWorkers(self._group.name, *where, LONE_DEATHS))
            return self._execution.bury(batch)
        try:
            return work(batch, stopped)
        except DatabaseAway:
            self._ownership.excuse(record)
            raise

    def _advance(self, batch: Batch, stopped: Stopped, work: Work) -> Report | None:
        """Do the work and move on to where it was committed; None if another worker has the partitions, and nothing
        happened, or the group has been paused meanwhile."""
        try:
            try:
                report = work(batch, stopped)
            except (DatabaseAway, HandlersBroken) as error:
                again = TriedAgain(batch, work, self._execution.pauses, self._ownership, self.follow)
                report = self._retry_loop.having_failed(error, again, stopped, self._ownership.trouble)
                batch = again.batch
        except (Fenced, GroupPaused) as given_up:
            if isinstance(given_up, Fenced):
                self._emit(events.BatchFenced(self._group.name, str(given_up)))
            self._steadily(self._ownership.restore, stopped)
            return None
        moves = batch.made(report.ends)
        self._moved(moves)
        if report.ends:
            self._emit(events.BatchCut(self._group.name, batch.size, report.done))
            self._ownership.go_back(moves)
        return report

    def _steadily(self, work: Callable[[], T], stopped: Stopped) -> T:
        """Do the work; again while the database is away."""
        try:
            return work()
        except DatabaseAway as away:
            return self._retry_loop.until_back(having_failed(away, work), stopped)

    def _at_least_once(self, batch: AtLeastOnceBatch, stopped: Stopped) -> Report:
        return self._run_in_place(self._in_place.with_expired(batch), stopped)

    def _run_in_place(self, batch: AtLeastOnceBatch, stopped: Stopped) -> Report:
        deadline = self._execution.deadline(stopped)
        unfinished = self._in_place.run(batch, deadline)
        settle = partial(self._in_place.settle, deadline=deadline)
        try:
            return settle(batch, unfinished)
        except DatabaseAway as away:
            if self._in_place.in_database:  # nothing has run for good: the whole batch is tried again
                raise
            again = SettledAgain(settle, batch, unfinished, self._ownership, self.follow)
            return self._retry_loop.until_back(having_failed(away, again), stopped)

    def make_ready(self, batch: Batch, stopped: Stopped, *, is_full: bool) -> Batch:
        """The batch with what it requires and is not met; if it is not full, it waits a little for that."""
        missing: AbstractSet[Prerequisite] = frozenset()
        prepared = batch.prepare()
        for pause in (0.0, *([] if is_full else PAUSES)):
            if pause:
                self._sleep(pause)
            missing = self._steadily(lambda: self._missing(prepared), stopped)
            if not missing:
                break
        return replace(prepared, missing=missing)

    def _missing(self, batch: Batch) -> AbstractSet[Prerequisite]:
        """What a prepared batch requires that is neither met nor completed by the batch itself."""
        with self._execution.database.reading() as db:
            unmet = ask(db, self._group.app, batch.prepared, self._execution.met)
        if not unmet:
            return unmet
        completing = self._group.completing
        own = {ours[0].prerequisite for taken, ours in batch.prepared if completing[taken.declaration.name]}
        rest = unmet - own
        found = record_answers(self._execution.database, self._group, rest, self._execution.clock)
        self._execution.met.add(found)
        return rest - found


def is_looked_at(batch: int) -> bool:
    """Whether it is looked where the keys of a worker's n-th batch are; its first one is 1."""
    return batch <= FIRST or batch % OFTEN == 0
