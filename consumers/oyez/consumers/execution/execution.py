"""The execution: one batch, one transaction, whatever the batch comes from.

1. take (an intake: positions and inbox for a batch of a log; a claim for parked rows)
2. ready or not    3. run    4. settle    5. commit
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.exc import DBAPIError

from oyez.producers import Settings
from oyez.schemas.headers import EXPIRY

from ..core.backoff import RetryPolicy
from ..core.deadline import NO_DEADLINE, Deadline
from ..core.outcomes import DONE, Outcome
from ..core.report import Report
from ..core.tool_context import Passing, ToolContext
from ..database import notices
from ..database.clock import Clock, DatabaseClock
from ..database.connection import HandlerConnection
from ..database.engine import ConnectionLost, Database
from ..handlers.application import Group
from .careful import KILLED, Saying
from .course import Course
from .delivery import Result
from .expiry import expired_among
from .intake import Intake, Kept, Load
from .journal import Journal
from .lone import Lone
from .memory import Memory
from .pauses import Pauses
from .readiness import Known, MetPrerequisites
from .runners import HandlerFailed, Runner, Todo, Together
from .settle import Settling
from .turns import Turns
from .wary import Wary

InTransaction = Callable[[HandlerConnection, Runner], Report]


def perform(
    database: Database,
    work: InTransaction,
    sleep: Callable[[float], None] = time.sleep,
    memory: Memory | None = None,
    wary: Wary | None = None,
    first: Runner | None = None,
) -> Report:
    """Run ``work`` in a transaction: together, or in parts where a handler failed; again after a conflict. ``memory``
    is of what ran before, in a transaction that the database refused; ``wary`` of what has failed lately; ``first``:
    how it is run at first, if not together.

    Raises `DatabaseAway` when the connection is lost and there is no other to be had, and when the database refuses.
    """
    course = Course(database, sleep, memory or Memory(), Wary() if wary is None else wary)
    runner: Runner = Together(course.memory, course.wary) if first is None else first
    while True:
        try:
            with database.handling() as db:
                return work(db, runner)
        except HandlerFailed as failed:
            runner = course.after_failure(failed)
        except ConnectionLost as error:
            runner = course.after_loss(error)
        except DBAPIError as error:
            runner = course.after_refusal(runner, error)


class Execution:
    """Handles batches for one group."""

    def __init__(
        self,
        group: Group,
        database: Database,
        *,
        settings: Settings,
        policy: RetryPolicy,
        budget: float = 10.0,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
        pauses: Pauses | None = None,
        journal: Journal | None = None,
        passing: Passing | None = None,
    ) -> None:
        """``settings`` are what the tools of handlers go by; ``clock`` is the database's unless given; ``pauses`` those
        that another one looks for, or it looks itself; ``journal`` is written if there is one; ``passing``: how time
        passes for those tools, by the ``timer`` unless given."""
        self.group = group
        self.database = database
        self.clock = clock or DatabaseClock()
        self.met = MetPrerequisites()
        self._budget = budget
        self._settings = settings
        self._sleep = sleep
        self._timer = timer
        self._passing = passing or counting_on(timer)
        self.pauses = pauses or Pauses(database, group, timer)
        self._settling = Settling(group, policy, self.met, self.pauses, journal)
        self._wary = Wary()
        self._turns = Turns()

    def handle(
        self, intake: Intake, stopped: Callable[[], bool] = lambda: False, memory: Memory | None = None
    ) -> Report:
        """Handle one intake in one transaction, again as often as it takes. Returns what was committed.

        When its time is up, or ``stopped()``, it is cut. ``memory`` is of the same intake when it was tried before.
        Raises `DatabaseAway` when the database is, `HandlersBroken`, and whatever the intake raises; nothing has
        happened, then.
        """

        def work(db: HandlerConnection, runner: Runner) -> Report:
            return self.once(db, intake, runner, self.deadline(stopped))

        return self._known(perform(self.database, work, self._sleep, memory, self._wary))

    def handle_alone(self, intake: Intake) -> Report:
        """Handle an intake of one delivery, which has all the time that its handler has. Raises as `handle` does."""
        memory = Memory()

        def work(db: HandlerConnection, runner: Runner) -> Report:
            return self.once(db, intake, runner, NO_DEADLINE)

        return self._known(perform(self.database, work, self._sleep, memory, self._wary, Lone(memory)))

    def say(self, intake: Intake, outcome: Outcome) -> Report:
        """Settle all of an intake as if its handlers had ended so, without calling them."""
        return self._known(
            self.database.repeat(lambda db: self.once(db, intake, Saying(outcome), NO_DEADLINE))
        )

    def bury(self, intake: Intake) -> Report:
        """Give up all of an intake that killed its workers: dead letters, without calling a handler."""
        return self.say(intake, KILLED)

    def handle_results(self, intake: Intake, kept: Kept) -> Report:
        """Settle deliveries that have run already, outside of any transaction."""

        def settle(db: HandlerConnection, _runner: Runner) -> Report:
            now = self.clock(db)
            intake.take(db, now)
            report = self._settling.settle(db, kept.results, Known(self.met), now)
            given_up = intake.finish(db, kept, now)
            return replace(report, dead=report.dead + given_up, ends=kept.ends)

        return perform(self.database, settle, self._sleep)

    def once(self, db: HandlerConnection, intake: Intake, runner: Runner, deadline: Deadline) -> Report:
        """All steps but the commit."""
        try:
            now = self.clock(db)
            load = intake.take(db, now)
            known = intake.known(db, load, self.met)
            for taken, _ in load.works:
                if EXPIRY in taken.envelope:
                    known = replace(known, expired=expired_among(load.works, now))
                    break
        except DBAPIError as error:
            raise self.database.refusal(error) from error  # no handler has run yet
        group = self.group
        began, timer = self._timer(), self._timer
        context = ToolContext(group.app, self._settings, group.application.signals, self._passing(now))
        ran = runner.run(Todo(load.works, known, group.completing, deadline, context, self._turns), db)
        seconds = timer() - began
        kept = Kept(ran) if all(outcome is DONE for _, outcome in ran) else intake.keep(db, ran, deadline)
        report = self._settling.settle(db, kept.results, known, now, seconds)
        given_up = load.dead + intake.finish(db, kept, now)
        if others := set(report.released) - {group.name}:
            notices.notify(db, others)
        return replace(
            report,
            dead=report.dead + given_up,
            claimed=load.claimed if len(kept.results) == len(ran) else _settled(load, ran, kept),
            delays=load.delays,
            announced=context.announced,
            ends=kept.ends,
            seconds=seconds,
        )

    def deadline(self, stopped: Callable[[], bool]) -> Deadline:
        """The end of the time of a batch that begins now."""
        return Deadline(self._timer() + self._budget, stopped, self._timer)

    def _known(self, report: Report) -> Report:
        if report.met:
            self.met.add(report.met)
        return report


def counting_on(timer: Callable[[], float]) -> Passing:
    """Clocks that count on by ``timer``: an `async def` cannot ask the database in passing."""

    def passing(now: float) -> Callable[[], float]:
        began = timer()
        return lambda: now + timer() - began

    return passing


def _settled(load: Load, ran: Sequence[Result], kept: Kept) -> Sequence[int]:
    """The ids of the claimed rows that were settled: those for which there was no time stay as they were."""
    left = {delivery.row.id for delivery, _ in ran if delivery.row is not None}
    left -= {delivery.row.id for delivery, _ in kept.results if delivery.row is not None}
    return [number for number in load.claimed if number not in left]
