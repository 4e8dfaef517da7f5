"""A worker: it owns one member of one group, and repeats: poll a batch, handle it, look at the retry table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from ..core.report import Report
from ..database import outbox, parked_age
from ..database.engine import DatabaseAway
from ..execution.batch import Batch, Fenced
from ..execution.broken_deploy import HandlersBroken
from ..execution.execution import Execution
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..lanes.lanes import WorkerLanes, drain, tell
from ..logs.log import Log, LogError, known_lag
from ..outbox.relay_thread import BackgroundRelay
from ..partitions.ownership import Ownership
from ..retry.retrying import Retrying
from ..retry.wakeups import Wakeups
from .clock_watch import nobody_watches
from .retry_loop import RetryLoop
from .round import Reading
from .swept import swept
from .telling import Telling
from .totals import Tally

IDLE_POSITIONS = 5.0  # s; after which positions are written though nothing was ours
TELL = 1.0  # s; between two looks at how far the log has got
SLICE = 0.2  # s; how long parked rows are run before the log is polled again


class Worker:
    """Handles one group's events until it is told to stop."""

    def __init__(
        self,
        execution: Execution,
        source: Log,
        ownership: Ownership,
        reading: Reading,
        retrying: Retrying,
        wakeups: Wakeups,
        retry_loop: RetryLoop,
        instrument: Instrument,
        *,
        relay: BackgroundRelay,
        lanes: WorkerLanes | None = None,
        keep_pace: Callable[[int, int, Callable[[], bool]], None],
        at_end: Callable[[], None] = lambda: None,
        clock_watch: Callable[[], None] = nobody_watches,
        batch: int = 500,
        sweep_every: float = 5.0,
        timer: Callable[[], float] = time.monotonic,
        tally: Tally | None = None,
    ) -> None:
        self.tally = Tally() if tally is None else tally
        self._execution = execution
        self._group = execution.group
        self._name = execution.group.name
        self._log = source
        self._ownership = ownership
        self.reading = self._reading = reading
        self._retrying = retrying
        self._wakeups = wakeups
        self._retry_loop = retry_loop
        self._emit = instrument.emit
        self._relay = relay
        self._lanes = lanes
        self._keep_pace, self._at_end = keep_pace, at_end
        self._taken = self._settled = 0
        self._watch_clocks = clock_watch
        self._batch = batch
        self._sweep_every = sweep_every
        self._timer = timer
        self._told = float("-inf")
        self._telling = Telling(self._name, source, ownership, execution.pauses, instrument)
        self._has_parked = True  # of the group, as far as is known
        self._swept = float("-inf")
        self._written = timer()
        self._next_due: float | None = None  # by the timer

    @property
    def group(self) -> str:
        """The group's name."""
        return self._name

    @property
    def halted(self) -> list[str]:
        """What of the log is this worker's and cannot be read, with the reason."""
        found = self._ownership.halted.items()
        return [f"{self._name}: {p.topic} partition {p.number}: {why}" for p, why in found]

    def run(self, stopped: Callable[[], bool]) -> None:
        """Work until ``stopped()``; then finish the batch and leave the group."""
        self._emit(events.WorkerStarted(self._name, tuple(self._group.by_name)))
        with self._ending(stopped):
            if self._lanes is not None:
                self._lanes.start(stopped)
            while not stopped():
                self.step(stopped)
        self._emit(self.tally.stopped(self._name))

    @contextmanager
    def _ending(self, stopped: Callable[[], bool]) -> Iterator[None]:
        """The worker ends with this block, as it should."""
        try:
            yield
            self.finish()
        except (DatabaseAway, HandlersBroken) as error:
            if not stopped():
                raise
            self._emit(events.StoppedInTrouble(self._name, str(error)))
            self.acquit()
        except LogError:
            self.acquit()
            raise
        finally:
            self.leave()

    def step(self, stopped: Callable[[], bool] = lambda: False, most: int | None = None) -> int:
        """One round; returns the number of records read, ``most`` of them if that is less than a batch."""
        if self._lanes is not None and self._rests(self._lanes, stopped):
            return 0
        count = self.read(stopped, most)
        self._taken += count
        if max(self._taken, self._settled) >= self._batch:
            self._retry_loop.until_back(lambda: self._keep_pace(self._taken, self._settled, stopped), stopped)
            self._taken = self._settled = 0
        self._retry_loop.until_back(lambda: self._retry(stopped), stopped)
        if self._wakeups.announced():
            self._relay.wake()
        self._tell()
        return count

    def read(self, stopped: Callable[[], bool] = lambda: False, most: int | None = None) -> int:
        """Handle the next records of the log, ``most`` of them if that is less than a batch; returns how many."""
        found = self._reading.round(stopped, most)
        if found.reports:
            self._written = self._timer()
            for report in found.reports:
                self._count(report)
        elif self._timer() - self._written > IDLE_POSITIONS:
            self._retry_loop.until_back(self._write_positions, stopped)
        return found.records

    def land(self, stopped: Callable[[], bool]) -> None:
        """Wait until nothing that was read is under way any more, or ``stopped()``."""
        for report in self._reading.land(stopped):
            self._count(report)

    def sweep(self, stopped: Callable[[], bool], most: Callable[[], int]) -> None:
        """Run what is due in the retry table, claiming ``most()`` rows at once, until that is 0."""
        self._retrying.sweep(self._ran, stopped, most=most)
        self._drain(stopped, most)

    def run_due(self, stopped: Callable[[], bool], most: Callable[[], int]) -> None:
        """The same, for what has become due since."""
        self._retrying.run_due(self._ran, stopped, most=most)
        self._drain(stopped, most)

    def _drain(self, stopped: Callable[[], bool], most: Callable[[], int]) -> None:
        if self._lanes is not None:
            for report in drain(self._lanes, lambda: 0 if stopped() else most()):
                self._ran(report)

    def look(self) -> None:
        """Take partitions, and read nothing."""
        self._log.idle()
        self._reading.follow()

    def is_settled(self) -> bool:
        """Whether it is known what this worker has to read."""
        return self._telling.is_settled

    def lag(self) -> int | None:
        """How many offsets the log is ahead; None as long as that is not known."""
        return known_lag(self._log)

    def count_left(self) -> int:
        """How many records are left in the partitions that this worker has, after what was committed. May raise
        `LogAway`."""
        return sum(self._log.count(p, held.position) for p, held in self._ownership.held.items())

    def finish(self) -> None:
        """End as it should be: what was read is written down, and nobody died on what comes next."""
        self._reading.stop()
        if self._lanes is not None:
            self._lanes.stop()
        for report in self._reading.finish():
            self._count(report)
        if self._lanes is not None:
            self._lanes.finish()
            self._count_ended(self._lanes)
        self._write_positions()
        self._ownership.release()
        self._at_end()

    def acquit(self) -> None:
        """It ends, and nobody died on what comes next. That is not said if the database is away."""
        with suppress(DatabaseAway):
            self._ownership.release()

    def leave(self) -> None:
        """Leave the group, whatever has happened."""
        with ExitStack() as last_first:
            last_first.callback(self._relay.close)
            last_first.callback(self._log.close)
            last_first.callback(self._wakeups.close)
            if self._lanes is not None:
                last_first.callback(self._lanes.close)
            last_first.callback(self._reading.leave)

    def _rests(self, lanes: WorkerLanes, stopped: Callable[[], bool]) -> bool:
        """Count what the lanes have done; whether they want this worker to rest, and only stay in its group."""
        self._count_ended(lanes)
        if not lanes.wants_rest():
            return False
        self._retry_loop.until_back(self.look, stopped)
        for report in self._reading.rest(stopped, lanes.rest):
            self._count(report)
        return True

    def _count_ended(self, lanes: WorkerLanes) -> None:
        for report in lanes.ended():
            self._ran(report)

    def _retry(self, stopped: Callable[[], bool]) -> None:
        now = self._timer()
        if self._has_parked:
            self._reading.stir()
        if now - self._swept >= self._sweep_every:
            if self._retrying.sweep(self._ran, stopped, seconds=SLICE):
                self._swept = now
            self._look_at_the_tables()
            self._watch_clocks()
            self._emit(swept(self._name, self._retrying, self._execution))
        elif self._wakeups.due() or (self._next_due is not None and self._next_due <= now):
            self._next_due = now  # due still, should the database be away
            if self._lanes is not None:
                self._lanes.wake()
            self._retrying.run_due(self._ran, stopped, seconds=SLICE)
        else:
            return
        self._next_due = self._at(self._retrying.due_in())

    def _look_at_the_tables(self) -> None:
        """Whether something of the group is parked, and relay whatever nobody was told of, or whose relay has died."""
        with self._execution.database.reading() as db:
            self._has_parked = parked_age.oldest(db, self._name) is not None
            found = outbox.look(db)
            if found.waits or (found.next_due is not None and found.next_due <= self._execution.clock(db)):
                self._relay.wake()

    def _write_positions(self) -> None:
        moves = self._ownership.moves()
        if moves and self._group.is_exact:
            try:
                self._execution.handle(Batch(self._group, moves=moves))
            except Fenced:
                self._ownership.restore()
                return
        self._ownership.moved(self._reading.reached(moves))
        self._written = self._timer()

    def _ran(self, report: Report) -> None:
        self._reading.stir()
        self._count(report)
        self._emit(events.RowsRun(self._name, report))

    def _count(self, report: Report) -> None:
        """What this worker parked, released or announced itself, it need not be told of."""
        self._settled += self.tally.add(report)
        later = report.unrun or report.queued or report.paused
        if later or report.waiting or report.behind or report.retried:
            self._has_parked = True
        if self._lanes is not None:
            tell(self._lanes, report)
        if report.announced:
            self._relay.wake()
        dues = [due for due in (self._next_due, self._at(report.due_in)) if due is not None]
        self._next_due = min(dues, default=None)

    def _at(self, seconds: float | None) -> float | None:
        """What the timer says in so many seconds."""
        return None if seconds is None else self._timer() + seconds

    def _tell(self) -> None:
        now = self._timer()
        if now - self._told < TELL:
            return
        self._told = now
        lanes = self._reading.seen(() if self._lanes is None else self._lanes.seen(self._name))
        if self._telling.tell(lanes, is_paused=self._reading.is_paused):
            self._next_due = now
