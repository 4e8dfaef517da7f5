"""Running a batch's handlers all together: the fast way, which supposes that none of them fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.deadline import Deadline
from ..core.outcomes import BEHIND, DONE, UNRUN
from ..core.tool_context import ToolContext
from ..database.connection import HandlerConnection
from ..database.session import HandlerSession
from ..handlers.registry import Handler
from .attempt import raise_for_others
from .delivery import Delivery, Result, Work, payloads
from .for_each import call_for_each
from .in_hand import in_hand
from .memory import Memory
from .parts import Parts
from .plan import Completing, Level, Plan, plan
from .readiness import Known
from .turns import Step, Turns
from .wary import Wary


class HandlerFailed(Exception):
    """A handler failed in a batch that ran together; the batch is to be rolled back and run otherwise. ``at``: the
    event that it is believed to have failed for, by its place in the batch; ``then``: how it is to be run, if whoever
    ran it has said so."""

    def __init__(self, handler: str, at: int | None, then: Runner | None = None) -> None:
        super().__init__(handler)
        self.handler = handler
        self.at = at
        self.then = then


@dataclass(frozen=True, slots=True)
class Todo:
    """What is to be run: events with their deliveries, what is known of what they wait for, until when, and whose
    turn it is."""

    works: Sequence[Work]
    known: Known
    completing: Completing
    deadline: Deadline
    tool_context: ToolContext
    turns: Turns


class Runner(Protocol):
    """A way to run a batch. When the deadline is over, the rest is `UNRUN`; something always runs."""

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]: ...


class Together:
    """The fast way: every handler gets all its events. Raises `HandlerFailed` if one fails in the database that is not
    known to; those that have failed lately run in parts."""

    def __init__(self, memory: Memory, wary: Wary, failed: HandlerFailed | None = None) -> None:
        """``failed``: why the batch was rolled back before."""
        self._memory = memory
        self._wary = wary
        self._failed = failed

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        session = HandlerSession(db, "rollback_only", todo.tool_context)
        results: list[Result] = []
        try:
            known = self._memory.spared(todo.known) if todo.known.expired else todo.known
            planned = plan(todo.works, known, todo.completing)
            while self._comes_otherwise(planned, todo, session, results):
                planned = plan(todo.works, known, todo.completing, results)
            results.extend(planned.parked)
            return results
        finally:
            session.discard()

    def _comes_otherwise(self, planned: Plan, todo: Todo, db: HandlerSession, results: list[Result]) -> bool:
        """Run what is planned, level by level, until something fails that the rest depends on; whether that is so.
        Within a level, handlers without a database parameter come last."""
        for number, level in enumerate(planned.levels, 1):
            before, wanted = len(results), 0
            for handler, deliveries in _in_turn(level, todo.turns):
                wanted += len(deliveries)
                if results and todo.deadline.is_over() and todo.turns.is_over(handler):
                    results.extend((delivery, UNRUN) for delivery in deliveries)
                    continue
                if todo.turns.owed:
                    todo.turns.begins(handler)
                if not handler.uses_database:
                    results.extend(self._outside(deliveries, planned, todo.deadline))
                elif handler.name in self._wary.lately:
                    parts = Parts(handler, db.joined, todo.tool_context, todo.deadline, self._wary)
                    results.extend(parts.run(deliveries, self._suspect(handler)))
                    db.joined.watch()  # sessions of the parts' own have ended it
                else:
                    results.extend(_call(handler, deliveries, db, todo.deadline))
            if len(results) - before < wanted:
                return True  # some stand behind one that has failed
            if number < len(planned.levels) and any(outcome is not DONE for _, outcome in results[before:]):
                return True
        return False

    def _suspect(self, handler: Handler) -> int | None:
        failed = self._failed
        return failed.at if failed is not None and failed.handler == handler.name else None

    def _outside(self, deliveries: list[Delivery], planned: Plan, deadline: Deadline) -> list[Result]:
        outcomes = self._memory.run(deliveries, deadline)
        if planned.is_flat:
            return outcomes
        return [result for result in outcomes if result[1] is not BEHIND]


def _in_turn(level: Level, turns: Turns) -> list[Step]:
    steps = sorted(level.items(), key=_database_first)
    return turns.order(steps) if turns.owed else steps


def _database_first(step: Step) -> bool:
    return not step[0].uses_database


def _call(
    handler: Handler, deliveries: list[Delivery], db: HandlerSession, deadline: Deadline
) -> list[Result]:
    """Call a handler in the batch's transaction: once with all its events, or as many as there is time for."""
    ran, given = len(deliveries), payloads(deliveries)
    try:
        if handler.takes_list or ran == 1:
            handler.call(given, db)
        else:
            ran = call_for_each(handler, given, db, deadline)
        db.settle()
    except BaseException as error:
        raise_for_others(error, db)
        at = in_hand(error, given)
        raise HandlerFailed(handler.name, None if at is None else deliveries[at].at) from error
    return [(delivery, DONE) for delivery in deliveries[:ran]] + [
        (delivery, UNRUN) for delivery in deliveries[ran:]
    ]
