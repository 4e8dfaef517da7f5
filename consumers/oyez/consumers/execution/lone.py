"""Running one delivery in a transaction of its own: the way of a lane."""

from __future__ import annotations

from ..core.outcomes import Outcome
from ..database.connection import HandlerConnection
from ..database.session import HandlerSession
from .attempt import attempt
from .delivery import Delivery, Result
from .gate import Gate
from .memory import Memory
from .runners import HandlerFailed, Todo


class Lone:
    """Runs single deliveries without a savepoint. One that fails is not run again: its transaction is rolled back, and
    what came of it is written in the next one."""

    def __init__(self, memory: Memory, failed: tuple[int, Outcome] | None = None) -> None:
        """``failed``: what came of a delivery before, by its place."""
        self._memory = memory
        self._failed = failed

    def run(self, todo: Todo, db: HandlerConnection) -> list[Result]:
        gate = Gate(self._memory.spared(todo.known))
        return [
            self._one(delivery, gate, todo, db) for _, deliveries in todo.works for delivery in deliveries
        ]

    def _one(self, waiting: Delivery, gate: Gate, todo: Todo, db: HandlerConnection) -> Result:
        if self._failed is not None and self._failed[0] == waiting.at:
            return waiting, self._failed[1]
        delivery, outcome = gate.admit(waiting)
        if outcome is not None:
            return delivery, outcome
        if not delivery.handler.uses_database:
            ((_, ran),) = self._memory.run([delivery], todo.deadline)
            return delivery, ran
        return delivery, self._in_database(delivery, todo, db)

    def _in_database(self, delivery: Delivery, todo: Todo, db: HandlerConnection) -> Outcome:
        outcome: Outcome | None = self._memory.begin(delivery)
        if outcome is None:
            session = HandlerSession(db, "rollback_only", todo.tool_context)
            try:
                outcome = attempt(delivery, session)
            finally:
                session.discard()
            if not outcome.completes:
                self._memory.end()
                raise HandlerFailed(
                    delivery.handler.name, delivery.at, Lone(self._memory, (delivery.at, outcome))
                )
        self._memory.end()
        return outcome
