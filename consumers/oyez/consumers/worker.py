"""A worker: it owns one member of one group, and repeats: poll a batch, handle it, look at the retry table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from .asking import record_answers
from .database.engine import DatabaseAway
from .execution import Execution
from .instruments import happenings
from .instruments.happenings import Happening
from .instruments.instrument import Instrument, logging_instrument
from .intakes import Batch, Fenced, decode
from .logs.log import Log
from .loose import LooseBatch, LooseExecution
from .ownership import Ownership
from .readiness import ask
from .reading import Reader, Record
from .retrying import Retrying
from .tally import Tally
from .wakeups import Wakeups
from .writing import Report

T = TypeVar("T")

POLL = 0.02  # s; how long a poll waits for a first record, and so how late a wake-up may be heard
PATIENCE = 0.05  # s; how long a batch that is not full waits, once, for what it requires
IDLE_POSITIONS = 5.0  # s; after which positions are written though nothing was ours
PASSING = 0.2  # s; what the database needs longer than that is worth a line in the log
TELL_LAGS = 1.0  # s; between two looks at how far the log has got
SLICE = 1.0  # s; how long parked rows are run before the log is polled again


class Worker:
    """Handles one group's events until it is told to stop."""

    def __init__(
        self,
        execution: Execution,
        source: Log,
        ownership: Ownership,
        retrying: Retrying,
        wakeups: Wakeups,
        *,
        batch: int = 500,
        sweep_every: float = 5.0,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
        instrument: Instrument | None = None,
    ) -> None:
        self.tally = Tally()
        self._execution = execution
        self._group = execution.group
        self._reader = Reader(execution.group)
        self._loose = LooseExecution(execution)
        self._log = source
        self._ownership = ownership
        self._retrying = retrying
        self._wakeups = wakeups
        self._batch = batch
        self._sweep_every = sweep_every
        self._sleep = sleep
        self._timer = timer
        self._instrument = instrument or logging_instrument()
        self._clock = execution.clock
        self._told_lags = float("-inf")
        self._swept = float("-inf")
        self._written = self._clock()
        self._next_due: float | None = None

    def run(self, stopped: Callable[[], bool]) -> None:
        """Work until ``stopped()``; then finish the batch and leave the group."""
        self._emit(happenings.WorkerStarted(self._group.name))
        try:
            while not stopped():
                self.step(stopped)
            self._write_positions()
        except DatabaseAway as error:
            if not stopped():
                raise
            self._emit(happenings.StoppedWithoutDatabase(self._group.name, str(error)))
        finally:
            self._wakeups.close()
            self._log.close()
        self._emit(self.tally.stopped(self._group.name))

    def step(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """One round; returns the number of records read."""
        self._until_back(self._ownership.look, stopped)
        records = self._log.poll(self._batch, POLL)
        self._until_back(self._ownership.follow, stopped)
        if records:
            self._handle(records, stopped)
        if not 0 <= self._clock() - self._written <= IDLE_POSITIONS:
            self._until_back(self._write_positions, stopped)
        self._until_back(lambda: self._retry(stopped), stopped)
        self._tell_lags()
        return len(records)

    def _handle(self, records: Sequence[Record], stopped: Callable[[], bool]) -> None:
        moves = self._ownership.moves()
        topic_ids = {move.partition.topic: move.partition.topic_id for move in moves}
        batch = decode(self._group, self._reader, records, moves, topic_ids, self._ownership.again)
        if not batch.events and not batch.undecodable:
            return
        handle = self._exact if self._group.is_exact else self._at_least_once
        begun = self._timer()
        try:
            report = handle(batch, len(records) >= self._batch, stopped)
        except Fenced as fenced:
            self._emit(happenings.BatchFenced(self._group.name, str(fenced)))
            self._until_back(self._ownership.restore, stopped)
            return
        self._ownership.moved(moves)
        self._written = self._clock()
        self._count(report)
        seconds = self._timer() - begun
        self._emit(happenings.BatchHandled(self._group.name, len(batch.events), seconds, report))

    def _at_least_once(self, batch: Batch, _is_full: bool, stopped: Callable[[], bool]) -> Report:
        loose = LooseBatch(batch.group, batch.events, [], batch.undecodable)
        failed = self._loose.run(loose)
        return self._until_back(lambda: self._loose.settle(loose, failed), stopped)

    def _exact(self, batch: Batch, is_full: bool, stopped: Callable[[], bool]) -> Report:
        if not self._until_back(lambda: self._is_ready(batch), stopped) and not is_full:
            self._sleep(PATIENCE)
            self._until_back(lambda: self._is_ready(batch), stopped)
        return self._until_back(lambda: self._execution.handle(batch), stopped)

    def _is_ready(self, batch: Batch) -> bool:
        """Whether everything that the batch requires is met, or will be by the batch itself."""
        if not any(handler.requires for handler in self._group.handlers):
            return True
        works = batch.works(batch.events)
        with self._execution.database.reading() as db:
            unmet = ask(db, self._group.app, works, self._execution.met)
        completing = self._group.completing
        own = (
            {shares[0].pair for taken, shares in works if completing[taken.declaration.name]}
            if unmet
            else set()
        )
        rest = unmet - own
        answered = record_answers(self._execution.database, self._group, rest, self._clock())
        self._execution.met.add(answered)
        return rest <= answered

    def _retry(self, stopped: Callable[[], bool]) -> None:
        now = self._clock()
        if not 0 <= now - self._swept < self._sweep_every:
            self._retrying.sweep(self._ran, stopped, seconds=SLICE)
            self._swept = now
            self._emit(happenings.Swept(self._group.name, self._retrying.oldest_wait))
        elif self._wakeups.due() or (self._next_due is not None and self._next_due <= now):
            self._next_due = now  # due still, should the database be away
            self._retrying.run_due(self._ran, stopped, seconds=SLICE)
        else:
            return
        self._next_due = self._retrying.next_due()

    def _write_positions(self) -> None:
        moves = self._ownership.moves()
        if moves and self._group.is_exact:
            try:
                self._execution.handle(Batch(self._group, [], moves))
            except Fenced:
                self._ownership.restore()
                return
        self._ownership.moved(moves)
        self._written = self._clock()

    def _ran(self, report: Report) -> None:
        self._count(report)
        self._emit(happenings.RowsRun(self._group.name, report))

    def _count(self, report: Report) -> None:
        """What this worker parked or released itself, it need not be told of."""
        self.tally.add(report)
        dues = [due for due in (self._next_due, report.due_at) if due is not None]
        self._next_due = min(dues, default=None)

    def _tell_lags(self) -> None:
        now = self._timer()
        if now - self._told_lags >= TELL_LAGS:
            self._told_lags = now
            lags = {(p.topic, p.number): lag for p, lag in self._log.lags().items()}
            self._emit(happenings.Lagging(self._group.name, lags))

    def _emit(self, happening: Happening) -> None:
        self._instrument.emit(happening)

    def _until_back(self, work: Callable[[], T], stopped: Callable[[], bool]) -> T:
        """Do ``work``; while the database is away, do the same again, later and later."""
        delay = 0.1
        while True:
            try:
                done = work()
            except DatabaseAway as error:
                if stopped():
                    raise
                if PASSING < delay <= 2 * PASSING:
                    self._emit(happenings.DatabaseLost(self._group.name, str(error)))
                self._sleep(delay)
                delay = min(delay * 2, 5.0)
            else:
                if delay > 2 * PASSING:
                    self._emit(happenings.DatabaseBack(self._group.name))
                return done
