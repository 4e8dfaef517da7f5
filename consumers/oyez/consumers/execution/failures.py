"""How handlers failed in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import assert_never

from oyez.schemas.declaration import Prerequisite

from ..core.failure_summary import Faults
from ..core.outcomes import Behind, Dead, Done, Expired, Failed, Outcome, Paused, Queued, Unrun, Waits
from .delivery import Result


def failures(results: Iterable[Result], met: AbstractSet[Prerequisite]) -> Counter[str]:
    """How often each handler failed or gave its event up, by its name. One that asks for what is ``met`` has failed."""
    return Counter(delivery.handler.name for delivery, outcome in results if _is_failure(outcome, met))


def _is_failure(outcome: Outcome, met: AbstractSet[Prerequisite]) -> bool:
    match outcome:
        case Failed() | Dead():
            return True
        case Waits(prerequisite, raised):
            return raised and prerequisite in met
        case Done() | Behind() | Unrun() | Queued() | Paused() | Expired():
            return False
    assert_never(outcome)


def faults(results: Iterable[Result]) -> Faults:
    """What handlers raised, unless they asked for something by it."""
    found = Faults()
    for delivery, outcome in results:
        if isinstance(outcome, Failed) and outcome.kind is not None:
            found.add(delivery.handler.name, outcome.kind, outcome.error)
    return found
