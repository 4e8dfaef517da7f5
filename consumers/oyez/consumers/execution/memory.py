"""Running handlers that have no database parameter, and remembering what happened when a batch is taken again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..core.deadline import Deadline
from ..core.outcomes import BEHIND, DONE, UNRUN, Failed, Outcome
from ..core.stop_signals import raise_if_stop
from ..database.inbox import EventId
from .attempt import attempt
from .delivery import Delivery, Result, payloads
from .readiness import Known

LOSSES = 2  # connections that a handler may cost while the database answers, before that is its failure


@dataclass
class Memory:
    """What one batch's handlers did that a rollback does not undo."""

    _ran: dict[tuple[str, EventId], Outcome] = field(default_factory=dict)
    _lost: Counter[tuple[str, EventId]] = field(default_factory=Counter)
    _in_database: Delivery | None = None

    def run(self, deliveries: Sequence[Delivery], deadline: Deadline) -> list[Result]:
        """Run one handler's deliveries, in order. A failure is caught in place; what follows of its key parks
        behind."""
        if len(deliveries) > 1 and deliveries[0].handler.takes_list:
            self._try_all(self._fresh(deliveries))
        failed: set[tuple[str, str]] = set()
        results = [self._each(delivery, failed) for delivery in deadline.each(deliveries)]
        return results + [(delivery, UNRUN) for delivery in deliveries[len(results) :]]

    def spared(self, known: Known) -> Known:
        """The same; what has run before its event expired is not given up for that."""
        return replace(known, expired=known.expired - self._ran.keys())

    def try_again(self) -> None:
        """The batch is tried again after a pause: what failed may succeed, what is done is done."""
        self._ran = {name: outcome for name, outcome in self._ran.items() if outcome is DONE}

    def begin(self, delivery: Delivery) -> Failed | None:
        """A delivery is about to run in the database; its failure, if it has cost connections before."""
        self._in_database = delivery
        if self._lost[_name(delivery)] < LOSSES:
            return None
        return Failed(
            "its connection to the database was lost while the database answered: was it closed, or idle "
            "in the transaction for too long?",
            "ConnectionLost",
        )

    def end(self) -> None:
        """The delivery has run."""
        self._in_database = None

    def lose(self) -> None:
        """The connection was lost though the database answers: the delivery that ran, if one did, may have done it."""
        if self._in_database is not None:
            self._lost[_name(self._in_database)] += 1
            self._in_database = None

    def _fresh(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those that have not run, but what stands behind one of its key that has, and failed."""
        fresh: list[Delivery] = []
        failed: set[tuple[str, str] | None] = set()
        for delivery in deliveries:
            outcome = self._ran.get(_name(delivery))
            key = delivery.ordered_key
            if outcome is None and (key is None or key not in failed):
                fresh.append(delivery)
            elif outcome is not None and outcome.holds_key:
                failed.add(key)
        return fresh

    def _try_all(self, deliveries: Sequence[Delivery]) -> None:
        """Call the handler for all of them at once, if they are several."""
        if len(deliveries) < 2:
            return
        try:
            deliveries[0].handler.call(payloads(deliveries), None)
        except BaseException as error:  # noqa: BLE001 # see `attempt`
            raise_if_stop(error)
            return  # each alone, then, to find out which
        self._ran.update((_name(delivery), DONE) for delivery in deliveries)

    def _each(self, delivery: Delivery, failed: set[tuple[str, str]]) -> Result:
        if delivery.ordered_key in failed:
            return delivery, BEHIND
        outcome = self._ran.get(_name(delivery)) or attempt(delivery, None)
        self._ran[_name(delivery)] = outcome
        if outcome.holds_key and delivery.ordered_key is not None:
            failed.add(delivery.ordered_key)
        return delivery, outcome


def _name(delivery: Delivery) -> tuple[str, EventId]:
    return delivery.handler.name, delivery.taken.event_id
