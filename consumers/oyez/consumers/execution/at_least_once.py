"""At-least-once groups: handlers run in place, and the database is used only when something fails."""

from __future__ import annotations

from collections.abc import Sequence
from operator import length_hint
from typing import Any

from sqlalchemy import Connection

from ..core.deadline import Deadline
from ..core.report import Report
from ..handlers.registry import Handler
from .attempt import HANDLER_ERRORS, outcome_of
from .batch import Batch
from .broken_deploy import refuse_broken
from .cut import cut
from .delivery import DONE, UNRUN, Delivery, Result
from .execution import Execution
from .plan import Work
from .reader import Taken
from .readiness import MetPrerequisites, Readiness


class AtLeastOnceBatch(Batch):
    """A batch whose events were handled before, or are handled without an inbox."""

    def take(self, db: Connection, now: float) -> list[Work]:
        """Neither positions nor inbox: the group's offsets are in the log."""
        return self.works(self.events)

    def readiness(self, db: Connection, works: list[Work], met: MetPrerequisites) -> Readiness:
        """Such a group waits for nothing and keeps no order."""
        return Readiness(met, {})

    def accept(self, db: Connection, results: list[Result], deadline: Deadline) -> list[Result]:
        """Refuse a batch in which everything is broken; cut it when the time was up."""
        refuse_broken(results)
        return self.cut(results) if deadline.is_over() else results

    def cut(self, results: list[Result]) -> list[Result]:
        """Leave the events of which nothing has run to be read again."""
        found = cut(results)
        self.ends = found.ends
        return found.results


class AtLeastOnceExecution:
    """Handles batches for an at-least-once group."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._group = execution.group
        self._in_database = any(handler.uses_database for handler in execution.group.handlers)

    def run(self, batch: AtLeastOnceBatch, deadline: Deadline) -> list[Result]:
        """Run every handler that has no database parameter; returns what was not done. Raises `HandlersBroken`."""
        if self._in_database:
            return []
        results = [result for handler in self._group.handlers for result in _run(handler, batch, deadline)]
        if not results:
            return []
        everything = self._with_done(batch, results)
        refuse_broken(everything)
        if any(outcome is UNRUN for _, outcome in results):
            everything = batch.cut(everything)
        return [result for result in everything if result[1] is not DONE]

    def settle(self, batch: AtLeastOnceBatch, unfinished: list[Result], deadline: Deadline) -> Report:
        """Park what was not done; what ran is not run again, however often this has to be repeated. Offsets may be
        told when this returns."""
        if self._in_database:
            return self._execution.handle(batch, deadline.is_over)
        report = Report()
        if unfinished or batch.undecodable:
            report = self._execution.handle_results(batch, unfinished)
        events = batch.events
        if batch.ends:
            events = [taken for taken in events if batch.has_kept(taken.record)]
        report.done = self._deliveries(events) - len(unfinished)
        report.handled += len(events) - report.events
        report.events = len(events)
        return report

    def _deliveries(self, events: Sequence[Taken]) -> int:
        if len(self._group.declarations) == 1:
            return len(events) * len(self._group.handlers)
        return sum(len(self._group.by_signal[taken.declaration.name]) for taken in events)

    def _with_done(self, batch: AtLeastOnceBatch, results: Sequence[Result]) -> list[Result]:
        others = {(delivery.handler.name, delivery.at): (delivery, outcome) for delivery, outcome in results}
        deliveries = [delivery for _, ours in batch.works(batch.events) for delivery in ours]
        return [others.get((delivery.handler.name, delivery.at), (delivery, DONE)) for delivery in deliveries]


def _run(handler: Handler, batch: Batch, deadline: Deadline) -> list[Result]:
    events, places = _of_signal(batch, handler.declaration.name)
    payloads = [taken.event for taken in events] if handler.wants_events else [taken.data for taken in events]
    failures, ran = run_in_place(handler, payloads, deadline)
    failed = [(Delivery(handler, events[n], places[n]), outcome_of(error)) for n, error in failures]
    return failed + [(Delivery(handler, events[n], places[n]), UNRUN) for n in range(ran, len(events))]


def _of_signal(batch: Batch, name: str) -> tuple[list[Taken], Sequence[int]]:
    """A batch's events of one signal, with their places."""
    if len(batch.group.declarations) == 1:
        return batch.events, range(len(batch.events))
    places = [at for at, taken in enumerate(batch.events) if taken.declaration.name == name]
    return [batch.events[at] for at in places], places


Failures = list[tuple[int, BaseException]]


def run_in_place(handler: Handler, payloads: Sequence[Any], deadline: Deadline) -> tuple[Failures, int]:
    """Call a handler for its events while there is time; returns the failures, by place, and how many ran."""
    if handler.signature.form.is_batch:
        return _run_list(handler, payloads), len(payloads)
    failures: Failures = []
    ran = 0
    for some in deadline.slices(payloads):
        failures.extend((ran + at, error) for at, error in _run_each(handler, some))
        ran += len(some)
    return failures, ran


def _run_each(handler: Handler, payloads: Sequence[Any]) -> Failures:
    """The loop stands in the caller alone: after a failure it goes on with the rest of the same iterator."""
    failures: Failures = []
    rest = iter(payloads)
    while True:
        try:
            handler.call(rest, None)
        except HANDLER_ERRORS as error:
            failures.append((len(payloads) - length_hint(rest) - 1, error))
        else:
            return failures


def _run_list(handler: Handler, payloads: Sequence[Any]) -> Failures:
    if not payloads:
        return []
    try:
        handler.call(payloads, None)
    except HANDLER_ERRORS as error:
        if len(payloads) == 1:
            return [(0, error)]
    else:
        return []
    return [(at, error) for at, one in enumerate(payloads) for _, error in _run_list(handler, [one])]
