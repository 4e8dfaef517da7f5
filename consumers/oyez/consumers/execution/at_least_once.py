"""At-least-once groups: handlers run in place, and the database is used only when something fails."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import length_hint
from typing import Any

from sqlalchemy import Connection

from oyez.schemas.declaration import Declaration
from oyez.schemas.headers import EXPIRY

from ..core.deadline import Deadline
from ..core.outcomes import DONE, EXPIRED, PAUSED, UNRUN
from ..core.report import Report
from ..core.stop_signals import raise_if_stop
from ..database.clock import moment
from ..handlers.registry import Handler
from .attempt import outcome_of
from .batch import Batch, is_before
from .broken_deploy import refuse_broken
from .cut import cut
from .delivery import Delivery, Result
from .execution import Execution
from .expiry import places_of_expired
from .intake import Kept, Load
from .readiness import Known, MetPrerequisites


@dataclass(frozen=True)
class AtLeastOnceBatch(Batch):
    """A batch whose events were handled before, or are handled without an inbox."""

    expired: frozenset[int] | None = None
    """The places of the events that had expired when it was looked; None: nobody has."""

    def take(self, db: Connection, now: float) -> Load:
        """Neither positions nor inbox: the group's offsets are in the log."""
        return Load(self.works(self.decoded.events))

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """Such a group waits for nothing and keeps no order."""
        return Known(met, paused=self.paused)

    def keep(self, db: Connection, results: Sequence[Result], deadline: Deadline) -> Kept:
        """Refuse a batch in which everything is broken; when the time was up, leave the events of which nothing has
        run to be read again."""
        refuse_broken(results)
        return _cut(results) if deadline.is_over() else Kept(results)


def _cut(results: Sequence[Result]) -> Kept:
    found = cut(results)
    return Kept(found.results, found.ends)


class AtLeastOnceExecution:
    """Handles batches for an at-least-once group."""

    def __init__(self, execution: Execution, apart: Collection[Handler] = ()) -> None:
        """``apart``: the handlers that run in lanes."""
        self._execution = execution
        self._group = execution.group
        self._handlers = [one for one in execution.group.handlers if one not in apart]
        self._by_signal = {
            signal: [one for one in handlers if one not in apart]
            for signal, handlers in execution.group.by_signal.items()
        }
        self.in_database = any(handler.uses_database for handler in execution.group.handlers)
        """Whether handlers run in the transaction in which a batch is settled."""

    def with_expired(self, batch: AtLeastOnceBatch) -> AtLeastOnceBatch:
        """The batch, with what of it has expired. Raises `DatabaseAway`: by whose clock it does."""
        envelopes = batch.decoded.envelopes
        if self.in_database or not [one for one in envelopes if EXPIRY in one]:
            return batch
        now = moment(self._execution.database, self._execution.clock)
        return replace(batch, expired=places_of_expired(envelopes, now))

    def run(self, batch: AtLeastOnceBatch, deadline: Deadline) -> Kept:
        """Run every handler that has no database parameter; returns what was not done, and where the batch was cut.
        Raises `HandlersBroken`."""
        if self.in_database:
            return Kept([])
        results = _run_all(self._handlers, batch, deadline)
        if not results:
            return Kept([])
        everything = self._with_done(batch, results)
        refuse_broken(everything)
        kept = _cut(everything) if any(outcome is UNRUN for _, outcome in results) else Kept(everything)
        return Kept([result for result in kept.results if result[1] is not DONE], kept.ends)

    def settle(self, batch: AtLeastOnceBatch, unfinished: Kept, deadline: Deadline) -> Report:
        """Park what was not done; what ran is not run again, however often this has to be repeated. Offsets may be
        committed when this returns."""
        if self.in_database:
            return self._execution.handle(batch, deadline.is_over)
        report = Report(ends=unfinished.ends)
        if unfinished.results or batch.undecodable:
            report = self._execution.handle_results(batch, unfinished)
        signals = batch.decoded.declarations
        if unfinished.ends:
            signals = [
                taken.declaration
                for taken in batch.decoded.events
                if is_before(taken.record, unfinished.ends)
            ]
        done = self._deliveries(signals) - len(unfinished.results)
        handled = report.handled + self._events(signals) - report.events
        return replace(report, done=done, handled=handled, events=len(signals))

    def _deliveries(self, signals: Sequence[Declaration]) -> int:
        """How many there are of events of these signals."""
        if len(self._by_signal) == 1:
            return len(signals) * len(self._handlers)
        return sum(len(self._by_signal[declaration.name]) for declaration in signals)

    def _events(self, signals: Sequence[Declaration]) -> int:
        """How many events of these signals have handlers in place."""
        if all(self._by_signal.values()):
            return len(signals)
        return sum(bool(self._by_signal[declaration.name]) for declaration in signals)

    def _with_done(self, batch: AtLeastOnceBatch, results: Sequence[Result]) -> list[Result]:
        others = {(delivery.handler.name, delivery.at): (delivery, outcome) for delivery, outcome in results}
        deliveries = [
            Delivery.of(handler, taken, at)
            for at, taken in enumerate(batch.decoded.events)
            for handler in self._by_signal[taken.declaration.name]
        ]
        return [others.get((delivery.handler.name, delivery.at), (delivery, DONE)) for delivery in deliveries]


def _run_all(handlers: Sequence[Handler], batch: AtLeastOnceBatch, deadline: Deadline) -> list[Result]:
    """Call the handlers, one after the other, while there is time."""
    results: list[Result] = []
    begun = False
    for handler in handlers:
        late, places = _expired(batch, _of_signal(batch, handler.declaration))
        results += [(Delivery.of(handler, batch.decoded.events[at], at), EXPIRED) for at in late]
        held, places = _paused(batch, handler, places)
        results += [(Delivery.of(handler, batch.decoded.events[at], at), PAUSED) for at in held]
        if begun and deadline.is_over():
            results += [(Delivery.of(handler, batch.decoded.events[at], at), UNRUN) for at in places]
        else:
            results += _run(handler, batch, places, deadline)
        begun = begun or bool(places)
    return results


def _expired(batch: AtLeastOnceBatch, places: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """The places of the events that have expired, and those of the others."""
    expired = batch.expired
    if not expired:
        return (), places
    return [at for at in places if at in expired], [at for at in places if at not in expired]


def _paused(batch: Batch, handler: Handler, places: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """The places of the events that are paused for this handler, and those of the others."""
    paused = batch.paused
    if paused is None:
        return (), places
    if handler.name in paused.handlers:
        return places, ()
    held = {at for at in places if paused.holds(handler.name, batch.decoded.events[at].key)}
    return sorted(held), [at for at in places if at not in held]


def _run(handler: Handler, batch: Batch, places: Sequence[int], deadline: Deadline) -> list[Result]:
    failures, ran = run_in_place(handler, _payloads(handler, batch, places), deadline)
    failed = [
        (Delivery.of(handler, batch.decoded.events[at := places[n]], at), outcome_of(error))
        for n, error in failures
    ]
    return failed + [(Delivery.of(handler, batch.decoded.events[at], at), UNRUN) for at in places[ran:]]


def _payloads(handler: Handler, batch: Batch, places: Sequence[int]) -> Sequence[Any]:
    """What the handler is given of the events at these places."""
    if handler.is_watched:
        return [Delivery.of(handler, batch.decoded.events[at], at) for at in places]
    if handler.wants_events:
        return [batch.decoded.events[at].event for at in places]
    data = batch.decoded.data()
    return data if len(places) == len(data) else [data[at] for at in places]


def _of_signal(batch: Batch, declaration: Declaration) -> Sequence[int]:
    """The places of a batch's events of one signal."""
    if len(batch.group.declarations) == 1:
        return range(batch.size)
    return [at for at, one in enumerate(batch.decoded.declarations) if one.name == declaration.name]


Failures = list[tuple[int, BaseException]]


def run_in_place(handler: Handler, payloads: Sequence[Any], deadline: Deadline) -> tuple[Failures, int]:
    """Call a handler for its events while there is time; returns the failures, by place, and how many ran."""
    if handler.takes_list:
        return _run_list(handler, payloads, deadline)
    failures: Failures = []
    ran = 0
    for some in deadline.slices(payloads):
        rest = iter(some)
        failures.extend((ran + at, error) for at, error in _run_each(handler, rest, len(some), deadline))
        left = length_hint(rest)
        ran += len(some) - left
        if left:
            break
    return failures, ran


def _run_each(handler: Handler, rest: Iterator[Any], count: int, deadline: Deadline) -> Failures:
    """The loop stands in the caller alone: after a failure it goes on with the rest of the same iterator."""
    failures: Failures = []
    while True:
        try:
            handler.call(deadline.until_over(rest), None)
        except BaseException as error:  # noqa: BLE001 # see `attempt`
            raise_if_stop(error)
            failures.append((count - length_hint(rest) - 1, error))
            if deadline.is_over():
                return failures
        else:
            return failures


def _run_list(handler: Handler, payloads: Sequence[Any], deadline: Deadline) -> tuple[Failures, int]:
    """All at once; if that fails, one by one while there is time."""
    if not payloads:
        return [], 0
    failures: Failures = []
    try:
        handler.call(payloads, None)
    except BaseException as error:  # noqa: BLE001 # see `attempt`
        raise_if_stop(error)
        failures = [(0, error)]
    if not failures or len(payloads) == 1:
        return failures, len(payloads)
    ran, failures = 0, []
    for one in deadline.each(payloads):
        failures += [(ran, error) for _, error in _run_list(handler, [one], deadline)[0]]
        ran += 1
    return failures, ran
