"""The execution: one batch, one transaction, whatever the batch comes from.

1. take (an intake: positions and inbox for a batch of a log; a claim for parked rows)
2. ready or not    3. run    4. settle    5. commit
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .application import Group
from .database import notices
from .database.connection import HandlerConnection
from .database.engine import Database, DatabaseAway, is_conflict
from .limits import Limits
from .planning import Work
from .readiness import MetPairs, Readiness
from .running import HandlerFailed, Memory, OneByOne, Runner, Together, more_careful
from .settling import Settling
from .shares import Result
from .writing import Report

CONFLICTS_TOGETHER = 5
CONFLICTS_AT_ALL = 100


class Intake(Protocol):
    """Where a transaction's events come from."""

    def take(self, db: Connection, now: float) -> list[Work]:
        """Take them, in the transaction in which they are handled."""

    def readiness(self, db: Connection, works: list[Work], met: MetPairs) -> Readiness:
        """What is known of what they wait for."""

    def finish(self, db: Connection, now: float) -> int:
        """Bury what is no event; returns how many."""


class Execution:
    """Handles batches for one group."""

    def __init__(
        self,
        group: Group,
        database: Database,
        *,
        limits: Limits,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.group = group
        self.database = database
        self.clock = clock
        self.met = MetPairs()
        self._sleep = sleep
        self._settling = Settling(group, limits, self.met)

    def handle(self, intake: Intake) -> Report:
        """Handle one intake in one transaction, again as often as it takes. Returns what was committed.

        Raises `DatabaseAway` when the connection is lost, and whatever the intake raises; nothing has
        happened, then.
        """
        report = perform(self.database, lambda db, runner: self.once(db, intake, runner), self._sleep)
        self.met.add(report.met)
        return report

    def handle_results(self, intake: Intake, results: Sequence[Result]) -> Report:
        """Settle shares that have run already, outside of any transaction."""

        def settle(db: HandlerConnection, _runner: Runner) -> Report:
            now = self.clock()
            intake.take(db, now)
            report = self._settling.settle(db, results, now)
            report.dead += intake.finish(db, now)
            return report

        return perform(self.database, settle, self._sleep)

    def once(self, db: HandlerConnection, intake: Intake, runner: Runner) -> Report:
        """All steps but the commit."""
        now = self.clock()
        works = intake.take(db, now)
        readiness = intake.readiness(db, works, self.met)
        results = runner.run(works, readiness, self.group.completing, db)
        report = self._settling.settle(db, results, now)
        report.dead += intake.finish(db, now)
        notices.notify(db, set(report.released) - {self.group.name})
        return report


def perform(
    database: Database,
    work: Callable[[HandlerConnection, Runner], Report],
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Run ``work`` in a transaction: together, or one by one when a handler failed; again after a conflict."""
    memory = Memory()
    runner: Runner = Together(memory)
    conflicts = 0
    while True:
        try:
            with database.transaction() as db:
                return work(db, runner)
        except HandlerFailed:
            runner = OneByOne(memory)
        except DBAPIError as error:
            if not is_conflict(error):
                careful = more_careful(runner, memory)
                if careful is None:
                    raise
                runner = careful
                continue
            conflicts += 1
            if conflicts >= CONFLICTS_AT_ALL:
                raise DatabaseAway(
                    f"other transactions were in the way {conflicts} times: {error.orig}"
                ) from error
            if conflicts >= CONFLICTS_TOGETHER and database.dialect == "postgresql":
                runner = OneByOne(memory)
            sleep(database.pause())
