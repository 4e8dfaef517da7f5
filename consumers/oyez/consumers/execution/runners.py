"""Running a batch's handlers all together: the fast way, which supposes that none of them fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.deadline import Deadline
from ..core.outcomes import DONE, UNRUN
from ..core.tool_context import ToolContext
from ..database.connection import HandlerConnection
from ..database.session import HandlerSession
from ..handlers.registry import Handler
from .attempt import raise_for_others
from .delivery import Delivery, Result, Work, payloads
from .memory import Memory
from .plan import Completing, Plan, plan
from .readiness import Known


class HandlerFailed(Exception):
    """A handler failed in a batch that ran together; the batch is to be rolled back and taken one by one."""


@dataclass(frozen=True, slots=True)
class Todo:
    """What is to be run: events with their deliveries, what is known of what they wait for, and until when."""

    works: Sequence[Work]
    known: Known
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
        planned, deadline = plan(todo.works, todo.known, todo.completing), todo.deadline
        try:
            results = list(planned.parked)
            for handler, deliveries in planned.steps():
                if len(results) > len(planned.parked) and deadline.is_over():
                    results.extend((delivery, UNRUN) for delivery in deliveries)
                elif handler.uses_database:
                    results.extend(_call(handler, deliveries, session, deadline))
                else:
                    results.extend(self._outside(deliveries, planned, deadline))
            return results
        finally:
            session.discard()

    def _outside(self, deliveries: list[Delivery], plan: Plan, deadline: Deadline) -> list[Result]:
        outcomes = self._memory.run(deliveries, deadline)
        if not plan.is_flat and any(outcome is not DONE and outcome is not UNRUN for _, outcome in outcomes):
            raise HandlerFailed
        return outcomes


def _call(
    handler: Handler, deliveries: list[Delivery], db: HandlerSession, deadline: Deadline
) -> list[Result]:
    """Call a handler in the batch's transaction: once with all its events, or as many as there is time for."""
    ran, given = 0, payloads(deliveries)
    try:
        for some in [given] if handler.takes_list or len(given) == 1 else deadline.slices(given):
            handler.call(some, db)
            ran += len(some)
        db.settle()
    except BaseException as error:
        raise_for_others(error, db)
        raise HandlerFailed from error
    return [(delivery, DONE) for delivery in deliveries[:ran]] + [
        (delivery, UNRUN) for delivery in deliveries[ran:]
    ]
