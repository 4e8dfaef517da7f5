"""Running a batch's handlers one event at a time, when it did not get through; giving up what killed its workers."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from sqlalchemy.exc import DBAPIError

from ..core.deadline import NO_DEADLINE
from ..core.outcomes import DONE, PAUSED, UNRUN, Dead, Failed, Outcome
from ..core.tool_context import ToolContext
from ..database.connection import HandlerConnection
from ..database.dialects.lookup import dialect_of
from ..database.engine import raise_for_database
from ..database.session import HandlerSession
from .attempt import attempt, outcome_of
from .delivery import Delivery, Result, Work
from .gate import Gate
from .memory import Memory
from .runners import Runner, Todo

LONE_DEATHS = 3
"""Workers that died on an event, or on a parked row, that they ran alone, before it is given up."""
KILLED = Dead("killed its worker", "the workers that ran it alone died before they were done")


class OneByOne:
    """The careful way: a savepoint for each delivery, so that one failure undoes nothing but itself."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        results: list[Result] = []
        gate = Gate(self._memory.spared(todo.known))
        for work in todo.works:
            _, deliveries = work
            if results and todo.deadline.is_over():
                results.extend((delivery, UNRUN) for delivery in deliveries)
                continue
            ours = [self._one(delivery, gate, todo, db) for delivery in _database_first(deliveries)]
            results.extend(ours)
            if _completes(work, ours, todo):
                gate.complete(deliveries[0].prerequisite)
        return results

    def _one(self, waiting: Delivery, gate: Gate, todo: Todo, db: HandlerConnection) -> Result:
        delivery, outcome = gate.admit(waiting)
        if outcome is not None:
            return delivery, outcome
        ran = (
            self._in_database(delivery, db, todo.tool_context)
            if delivery.handler.uses_database
            else self._outside(delivery)
        )
        gate.note(delivery, ran)
        return delivery, ran

    def _outside(self, delivery: Delivery) -> Outcome:
        ((_, outcome),) = self._memory.run([delivery], NO_DEADLINE)
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
        if outcome.completes:
            outcome = self._accepted(db)
        if outcome.completes:
            savepoint.commit()
        else:
            db.undo(savepoint)
        return outcome

    def _accepted(self, db: HandlerConnection) -> Outcome:
        return DONE


class Checking(OneByOne):
    """For a batch whose commit was refused: deferred constraints are looked at after each delivery, not at the end, so
    that what violates one lands on the handler and the event that did it."""

    _unmet: Set[tuple[Any, ...]] = frozenset()

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        self._unmet = _unmet(db)
        return super().run(todo, db)

    def _accepted(self, db: HandlerConnection) -> Outcome:
        for table, row, named, _ in _unmet(db) - self._unmet:
            return Failed(f"IntegrityError: row {row} of {table} names a row that {named} does not have")
        check = dialect_of(db).check_now
        if check is None:
            return DONE
        probe = db.begin_nested()
        try:
            db.execute(check)
        except DBAPIError as error:
            raise_for_database(error, db)
            return outcome_of(error)
        finally:
            db.undo(probe)  # they are deferred again
        return DONE


def _unmet(db: HandlerConnection) -> Set[tuple[Any, ...]]:
    """What the database would refuse at the commit, where it can only list that."""
    listing = dialect_of(db).lists_unmet
    return frozenset() if listing is None else {tuple(row) for row in db.execute(listing)}


class Saying:
    """For what is known to have ended, such as what killed its workers: nothing is run. What is paused has not
    ended."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        paused = todo.known.paused
        return [
            (
                one,
                PAUSED
                if paused is not None and paused.holds(one.handler.name, one.taken.key)
                else self._outcome,
            )
            for _, deliveries in todo.works
            for one in deliveries
        ]


def _database_first(deliveries: Sequence[Delivery]) -> list[Delivery]:
    return sorted(deliveries, key=lambda delivery: not delivery.handler.uses_database)


def _completes(work: Work, results: Sequence[Result], todo: Todo) -> bool:
    """Whether an event has nothing left that has to be done before what waits for it may run."""
    names = todo.completing.get(work[0].declaration.name, frozenset())
    ours = [
        outcome
        for delivery, outcome in results
        if delivery.handler.name in names and todo.known.is_last(delivery)
    ]
    return bool(ours) and all(outcome.completes for outcome in ours)


def more_careful(runner: Runner, memory: Memory) -> Runner | None:
    """The way to run a batch that did not get through in this one; None when there is no better."""
    match runner:
        case Checking():
            return None
        case OneByOne():
            return Checking(memory)
    return OneByOne(memory)
