"""The execution: one batch, one transaction, whatever the batch comes from.

1. take (an intake: positions and inbox for a batch of a log; a claim for parked rows)
2. ready or not    3. run    4. settle    5. commit
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from oyez.producers import Settings

from ..core.backoff import RetryPolicy
from ..core.deadline import Deadline, no_deadline
from ..core.report import Report
from ..core.tool_context import ToolContext
from ..database import notices
from ..database.connection import HandlerConnection
from ..database.engine import Database
from ..handlers.application import Group
from .delivery import Result
from .plan import Work
from .readiness import MetPrerequisites, Readiness
from .runners import Burying, Runner, Todo
from .settle import Settling
from .transaction import bury, perform


class Intake(Protocol):
    """Where a transaction's events come from."""

    def take(self, db: Connection, now: float) -> list[Work]:
        """Take them, in the transaction in which they are handled."""

    def readiness(self, db: Connection, works: list[Work], met: MetPrerequisites) -> Readiness:
        """What is known of what they wait for."""

    def accept(self, db: Connection, results: list[Result], deadline: Deadline) -> list[Result]:
        """What is to be settled of what was run: all, unless the time was up. May raise `HandlersBroken`."""

    def finish(self, db: Connection, now: float) -> int:
        """Bury what is no event; returns how many."""


class Execution:
    """Handles batches for one group."""

    def __init__(
        self,
        group: Group,
        database: Database,
        *,
        settings: Settings,
        limits: RetryPolicy,
        budget: float = 10.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """``settings`` are what the tools of handlers go by."""
        self.group = group
        self.database = database
        self.clock = clock
        self.met = MetPrerequisites()
        self._budget = budget
        self._settings = settings
        self._sleep = sleep
        self._timer = timer
        self._settling = Settling(group, limits, self.met)

    def handle(self, intake: Intake, stopped: Callable[[], bool] = lambda: False) -> Report:
        """Handle one intake in one transaction, again as often as it takes. Returns what was committed.

        When its time is up, or ``stopped()``, it is cut. Raises `DatabaseAway` when the database is, `HandlersBroken`,
        and whatever the intake raises; nothing has happened, then.
        """

        def work(db: HandlerConnection, runner: Runner) -> Report:
            return self.once(db, intake, runner, self.deadline(stopped))

        return self._known(perform(self.database, work, self._sleep))

    def bury(self, intake: Intake) -> Report:
        """Give up all of an intake that killed its workers: dead letters, without calling a handler."""

        def work(db: HandlerConnection, runner: Runner) -> Report:
            return self.once(db, intake, runner, no_deadline())

        return self._known(bury(self.database, work, Burying(), self._sleep))

    def handle_results(self, intake: Intake, results: Sequence[Result]) -> Report:
        """Settle deliveries that have run already, outside of any transaction."""

        def settle(db: HandlerConnection, _runner: Runner) -> Report:
            now = self.clock()
            intake.take(db, now)
            report = self._settling.settle(db, results, now)
            report.dead += intake.finish(db, now)
            return report

        return perform(self.database, settle, self._sleep)

    def once(self, db: HandlerConnection, intake: Intake, runner: Runner, deadline: Deadline) -> Report:
        """All steps but the commit."""
        now = self.clock()
        works = intake.take(db, now)
        readiness = intake.readiness(db, works, self.met)
        signals = self.group.application.signals
        tool_context = ToolContext(self.group.app, self._settings, signals, self.clock)
        ran = runner.run(Todo(works, readiness, self.group.completing, deadline, tool_context), db)
        results = intake.accept(db, ran, deadline)
        report = self._settling.settle(db, results, now)
        report.dead += intake.finish(db, now)
        report.announced = tool_context.announced
        notices.notify(db, set(report.released) - {self.group.name})
        return report

    def deadline(self, stopped: Callable[[], bool]) -> Deadline:
        """The end of the time of a batch that begins now."""
        return Deadline(self._budget, stopped, self._timer)

    def _known(self, report: Report) -> Report:
        self.met.add(report.met)
        return report
