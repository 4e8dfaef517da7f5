"""Handling one batch of a group's log: together, or one event at a time when workers have died on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..core.record import Record
from ..core.report import Report
from ..database.positions import Partition
from ..execution.ask_met_by import record_answers
from ..execution.at_least_once import AtLeastOnceBatch, AtLeastOnceExecution
from ..execution.batch import Batch, Fenced, decode
from ..execution.execution import Execution
from ..execution.reader import Reader
from ..execution.readiness import ask
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..partitions.ownership import Ownership
from .retry_loop import RetryLoop

PAUSES = (
    0.005,
    0.015,
    0.03,
)  # s; 50 ms that a batch that is not full waits for what it requires, asking in between
LONE_DEATHS = 3  # workers that died on an event that they ran alone, before it is given up

Stopped = Callable[[], bool]


class Batches:
    """Handles batches for one worker."""

    def __init__(
        self,
        execution: Execution,
        ownership: Ownership,
        patience: RetryLoop,
        instrument: Instrument,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._execution = execution
        self._group = execution.group
        self._in_place = AtLeastOnceExecution(execution)
        self._reader = Reader(execution.group)
        self._ownership = ownership
        self._patience = patience
        self._emit = instrument.emit
        self._sleep = sleep

    def read(self, records: Sequence[Record], polled: frozenset[Partition]) -> Batch:
        """What these records are to the group. Those of partitions that were lost since the poll are left out."""
        standing = self._ownership.standing()
        kept = {move.partition for move in standing}
        if not polled <= kept:
            names = {(partition.topic, partition.number) for partition in kept}
            records = [record for record in records if (record.topic(), record.partition()) in names]
        topic_ids = {(partition.topic, partition.number): partition.topic_id for partition in kept}
        moves = [move for move in standing if move.next != move.believed]
        kind = Batch if self._group.is_exact else AtLeastOnceBatch
        return decode(
            kind(self._group, [], moves, again=self._ownership.again), self._reader, records, topic_ids
        )

    def handle(self, batch: Batch, stopped: Stopped, *, is_full: bool) -> Report | None:
        """Handle a batch and move on; None if another worker has its partitions, and nothing happened."""
        if isinstance(batch, AtLeastOnceBatch):
            return self._moving(batch, stopped, lambda stop: self._at_least_once(batch, stop))
        self._make_ready(batch, stopped, is_full=is_full)
        return self._moving(batch, stopped, lambda stop: self._execution.handle(batch, stop))

    def handle_alone(self, batch: Batch, record: Record, stopped: Stopped) -> Report | None:
        """The same for a single event that may have killed workers: it is made the suspect first."""
        starts = self._patience.until_back(lambda: self._ownership.suspect(record), stopped)
        if starts is None or starts <= LONE_DEATHS:
            return self.handle(batch, stopped, is_full=True)
        where = (record.topic(), record.partition(), record.offset())
        self._emit(events.EventKilledWorkers(self._group.name, *where, LONE_DEATHS))
        return self._moving(batch, stopped, lambda _stop: self._execution.bury(batch))

    def _moving(self, batch: Batch, stopped: Stopped, work: Callable[[Stopped], Report]) -> Report | None:
        repaired = self._patience.until_repaired
        try:
            report = repaired(
                lambda stop: self._patience.until_back(lambda: work(stop), stopped),
                stopped,
                self._ownership.trouble,
            )
        except Fenced as fenced:
            self._emit(events.BatchFenced(self._group.name, str(fenced)))
            self._patience.until_back(self._ownership.restore, stopped)
            return None
        self._ownership.moved(batch.made())
        if batch.ends:
            self._emit(events.BatchCut(self._group.name, len(batch.events), report.done))
            self._ownership.go_back(batch.made())
        return report

    def _at_least_once(self, batch: AtLeastOnceBatch, stopped: Stopped) -> Report:
        deadline = self._execution.deadline(stopped)
        unfinished = self._in_place.run(batch, deadline)
        return self._patience.until_back(lambda: self._in_place.settle(batch, unfinished, deadline), stopped)

    def _make_ready(self, batch: Batch, stopped: Stopped, *, is_full: bool) -> None:
        """Ask for what the batch requires; if it is not full, wait a little for what is missing."""
        for pause in (0.0, *([] if is_full else PAUSES)):
            if pause:
                self._sleep(pause)
            if self._patience.until_back(lambda: self._is_ready(batch), stopped):
                return

    def _is_ready(self, batch: Batch) -> bool:
        """Whether everything that the batch requires is met, or will be by the batch itself."""
        if not any(handler.requires for handler in self._group.handlers):
            return True
        works = batch.works(batch.events)
        with self._execution.database.reading() as db:
            unmet = ask(db, self._group.app, works, self._execution.met)
        if not unmet:
            batch.missing = set()
            return True
        completing = self._group.completing
        own = {
            deliveries[0].prerequisite for taken, deliveries in works if completing[taken.declaration.name]
        }
        rest = {prerequisite for prerequisite in unmet if prerequisite not in own}
        found = record_answers(self._execution.database, self._group, rest, self._execution.clock())
        self._execution.met.add(found)
        batch.missing = rest - found
        return not batch.missing
