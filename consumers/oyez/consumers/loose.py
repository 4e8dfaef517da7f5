"""At-least-once groups: handlers run in place, and the database is used only when something fails."""

from __future__ import annotations

from collections.abc import Sequence
from operator import length_hint
from typing import Any

from sqlalchemy import Connection

from .attempts import HANDLER_ERRORS, outcome_of
from .execution import Execution
from .handlers import Handler
from .intakes import Batch
from .planning import Work
from .readiness import MetPairs, Readiness
from .shares import Result, Share
from .writing import Report


class LooseBatch(Batch):
    """A batch whose events were handled before, or are handled without an inbox."""

    def take(self, db: Connection, now: float) -> list[Work]:
        """Neither positions nor inbox: the group's offsets are in the log."""
        return self.works(self.events)

    def readiness(self, db: Connection, works: list[Work], met: MetPairs) -> Readiness:
        """Such a group waits for nothing and keeps no order."""
        return Readiness(met, {})


class LooseExecution:
    """Handles batches for an at-least-once group."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._group = execution.group
        self._in_database = any(handler.uses_database for handler in execution.group.handlers)

    def run(self, batch: LooseBatch) -> list[Result]:
        """Run every handler that has no database parameter; returns what failed."""
        if self._in_database:
            return []
        return [result for handler in self._group.handlers for result in _run(handler, batch)]

    def settle(self, batch: LooseBatch, failed: list[Result]) -> Report:
        """Park what failed; what ran is not run again, however often this has to be repeated. Offsets may be told
        when this returns."""
        if self._in_database:
            return self._execution.handle(batch)
        report = Report()
        if failed or batch.undecodable:
            report = self._execution.handle_results(batch, failed)
        shares = sum(len(self._group.by_signal[taken.declaration.name]) for taken in batch.events)
        report.done = shares - len(failed)
        return report


def _run(handler: Handler, batch: Batch) -> list[Result]:
    name = handler.declaration.name
    events = [taken for taken in batch.events if taken.declaration.name == name]
    if not events:
        return []
    payloads = [taken.event if handler.wants_events else taken.data for taken in events]
    failures = run_in_place(handler, payloads)
    return [(Share(handler, events[at], at), outcome_of(error)) for at, error in failures]


def run_in_place(handler: Handler, payloads: Sequence[Any]) -> list[tuple[int, BaseException]]:
    """Call a handler for its events; returns the failures, by place. The loop stands in the caller alone:
    after a failure it goes on with the rest of the same iterator."""
    if handler.signature.form.is_batch:
        return _run_list(handler, payloads)
    failures: list[tuple[int, BaseException]] = []
    rest = iter(payloads)
    while True:
        try:
            handler.call(rest, None)
        except HANDLER_ERRORS as error:
            failures.append((len(payloads) - length_hint(rest) - 1, error))
        else:
            return failures


def _run_list(handler: Handler, payloads: Sequence[Any]) -> list[tuple[int, BaseException]]:
    try:
        handler.call(payloads, None)
    except HANDLER_ERRORS as error:
        if len(payloads) == 1:
            return [(0, error)]
    else:
        return []
    return [(at, error) for at, one in enumerate(payloads) for _, error in _run_list(handler, [one])]
