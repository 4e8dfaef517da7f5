"""A deploy that breaks every handler: when nearly everything fails alike, it is not the events' fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from oyez.schemas import OyezError

from ..core.outcomes import Behind, Dead, Done, Expired, Failed, Outcome, Paused, Queued, Unrun, Waits
from .delivery import Result

LEAST = 50  # events that must have been tried, before their failing says something about the handlers
PART = 0.9  # of all deliveries that ran


class HandlersBroken(OyezError):
    """Nearly everything in a batch failed alike. Nothing of it was committed; it is to be tried again later."""


def refuse_broken(results: Sequence[Result]) -> None:
    """Raise `HandlersBroken` if 90 % of the deliveries of at least 50 events failed with the same type of error.

    What a handler asks for by `NotReady`, `RetryAfter` or `Reject` is no failure.
    """
    kinds = Counter(kind for _, outcome in results if (kind := _kind(outcome)))
    failed = kinds.total()
    if failed < LEAST * PART:
        return
    ran = sum(outcome.completes for _, outcome in results) + failed
    events = {
        delivery.at for delivery, outcome in results if outcome.completes or isinstance(outcome, Failed)
    }
    ((kind, count),) = kinds.most_common(1)
    if len(events) >= LEAST and count >= PART * ran:
        first = next(
            f"{one.handler.name}: {_error(outcome)}" for one, outcome in results if _kind(outcome) == kind
        )
        raise HandlersBroken(
            f"{count} of {ran} deliveries failed alike, as if a deploy had broken the handlers; nothing of this batch "
            f"is committed until it is repaired. {first}"
        )


def _kind(outcome: Outcome) -> str | None:
    """The type of error that a handler failed with; None if it did not."""
    match outcome:
        case Failed(kind=kind):
            return kind
        case Done() | Waits() | Behind() | Dead() | Unrun() | Queued() | Paused() | Expired():
            return None
    assert_never(outcome)


def _error(outcome: Outcome) -> str:
    """The first line of a failure."""
    return outcome.error.splitlines()[0] if isinstance(outcome, Failed) else ""
