"""Running a batch's handlers: all together, and, when one of them failed, one event at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..core.deadline import Deadline, no_deadline
from ..core.tool_context import ToolContext
from ..database.connection import HandlerConnection
from ..database.engine import raise_for_database
from ..database.session import HandlerSession
from ..handlers.registry import Handler
from .attempt import HANDLER_ERRORS, attempt, outcome_of
from .delivery import DONE, UNRUN, Dead, Delivery, Done, Outcome, Result, Unrun, payloads
from .memory import Memory
from .plan import Completing, Plan, Work
from .reader import Taken
from .readiness import Readiness

KILLED = Dead("killed its worker", "the workers that ran it alone died before they were done")


class HandlerFailed(Exception):
    """A handler failed in a batch that ran together; the batch is to be rolled back and taken one by one."""


@dataclass(frozen=True, slots=True)
class Todo:
    """What is to be run: events with their deliveries, what is known of what they wait for, and until when."""

    works: Sequence[Work]
    readiness: Readiness
    completing: Completing
    deadline: Deadline
    tool_context: ToolContext


class Runner(Protocol):
    """A way to run a batch. When the deadline is over, the rest is `UNRUN`; something always runs."""

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]: ...


class Together:
    """The fast way: every handler gets all its events. Raises `HandlerFailed` if one fails in the database."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        session = HandlerSession(db, "rollback_only", todo.tool_context)
        plan, deadline = Plan(todo.works, todo.readiness, todo.completing), todo.deadline
        try:
            results = list(plan.parked)
            for handler, deliveries in plan.steps():
                if len(results) > len(plan.parked) and deadline.is_over():
                    results.extend((delivery, UNRUN) for delivery in deliveries)
                elif handler.uses_database:
                    results.extend(_call(handler, deliveries, session, deadline))
                else:
                    results.extend(self._outside(deliveries, plan, deadline))
            return results
        finally:
            session.discard()

    def _outside(self, deliveries: list[Delivery], plan: Plan, deadline: Deadline) -> list[Result]:
        outcomes = self._memory.run(deliveries, deadline)
        if not plan.is_flat and any(not isinstance(outcome, Done | Unrun) for _, outcome in outcomes):
            raise HandlerFailed
        return outcomes


def _call(
    handler: Handler, deliveries: list[Delivery], db: HandlerSession, deadline: Deadline
) -> list[Result]:
    """Call a handler in the batch's transaction: once with all its events, or as many as there is time for."""
    ran, given = 0, payloads(deliveries)
    try:
        for some in [given] if handler.signature.form.is_batch else deadline.slices(given):
            handler.call(some, db)
            ran += len(some)
        db.settle()
    except HANDLER_ERRORS as error:
        raise_for_database(error, db.joined)
        raise HandlerFailed from error
    return [(delivery, DONE) for delivery in deliveries[:ran]] + [
        (delivery, UNRUN) for delivery in deliveries[ran:]
    ]


class OneByOne:
    """The careful way: a savepoint for each delivery, so that one failure undoes nothing but itself."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        results: list[Result] = []
        for taken, deliveries in todo.works:
            if results and todo.deadline.is_over():
                results.extend((delivery, UNRUN) for delivery in deliveries)
                continue
            ours = [self._one(delivery, todo, db) for delivery in _database_first(deliveries)]
            results.extend(ours)
            _complete(taken, ours, todo.readiness, todo.completing)
        return results

    def _one(self, delivery: Delivery, todo: Todo, db: HandlerConnection) -> Result:
        readiness = todo.readiness
        outcome: Outcome | None = readiness.gate(delivery)
        if outcome is not None:
            readiness.park(delivery, outcome)
            return delivery, outcome
        outcome = (
            self._in_database(delivery, db, todo.tool_context)
            if delivery.handler.uses_database
            else self._outside(delivery)
        )
        readiness.park(delivery, outcome)
        return delivery, outcome

    def _outside(self, delivery: Delivery) -> Outcome:
        ((_, outcome),) = self._memory.run([delivery], no_deadline())
        return outcome

    def _in_database(self, delivery: Delivery, db: HandlerConnection, tool_context: ToolContext) -> Outcome:
        outcome = self._memory.begin(delivery) or self._alone(delivery, db, tool_context)
        self._memory.end()
        return outcome

    def _alone(self, delivery: Delivery, db: HandlerConnection, tool_context: ToolContext) -> Outcome:
        savepoint = db.begin_nested()
        session = HandlerSession(db, "create_savepoint", tool_context)
        try:
            outcome = attempt(delivery, session)
        finally:
            session.discard()
        if isinstance(outcome, Done):
            outcome = self._accepted(db)
        if isinstance(outcome, Done):
            savepoint.commit()
        else:
            db.undo(savepoint)
        return outcome

    def _accepted(self, db: HandlerConnection) -> Outcome:
        return DONE


class Checking(OneByOne):
    """For a batch whose commit was refused: PostgreSQL checks deferred constraints after each delivery, not at the
    end, so that what violates one lands on the handler and the event that did it."""

    def _accepted(self, db: HandlerConnection) -> Outcome:
        if db.dialect.name != "postgresql":
            return DONE
        probe = db.begin_nested()
        try:
            db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        except DBAPIError as error:
            raise_for_database(error, db)
            return outcome_of(error)
        finally:
            db.undo(probe)  # they are deferred again
        return DONE


class Burying:
    """For what killed its workers: nothing is run, and every delivery is given up."""

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        return [(delivery, KILLED) for _, deliveries in todo.works for delivery in deliveries]


def _database_first(deliveries: Sequence[Delivery]) -> list[Delivery]:
    return sorted(deliveries, key=lambda delivery: not delivery.handler.uses_database)


def _complete(taken: Taken, results: Sequence[Result], readiness: Readiness, completing: Completing) -> None:
    names = completing.get(taken.declaration.name, frozenset())
    ours = [outcome for delivery, outcome in results if delivery.handler.name in names and delivery.is_last]
    if ours and all(isinstance(outcome, Done) for outcome in ours):
        readiness.complete(results[0][0].prerequisite)


def more_careful(runner: Runner, memory: Memory) -> Runner | None:
    """The way to run a batch that did not get through in this one; None when there is no better."""
    match runner:
        case Checking():
            return None
        case OneByOne():
            return Checking(memory)
    return OneByOne(memory)
