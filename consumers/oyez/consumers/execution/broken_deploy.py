"""A deploy that breaks every handler: when nearly everything fails alike, it is not the events' fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from oyez.schemas import OyezError

from .delivery import Done, Failed, Result

LEAST = 50  # events that must have been tried, before their failing says something about the handlers
PART = 0.9  # of all deliveries that ran


class HandlersBroken(OyezError):
    """Nearly everything in a batch failed alike. Nothing of it was committed; it is to be tried again later."""


def refuse_broken(results: Sequence[Result]) -> None:
    """Raise `HandlersBroken` if 90 % of the deliveries of at least 50 events failed with the same type of error.

    What a handler asks for by `NotReady` or `Reject` is no failure.
    """
    failed = [
        (delivery, outcome) for delivery, outcome in results if isinstance(outcome, Failed) and outcome.kind
    ]
    if len(failed) < LEAST * PART:
        return
    ran = sum(isinstance(outcome, Done) for _, outcome in results) + len(failed)
    events = {delivery.at for delivery, outcome in results if isinstance(outcome, Done | Failed)}
    ((kind, count),) = Counter(outcome.kind for _, outcome in failed).most_common(1)
    if len(events) >= LEAST and count >= PART * ran:
        delivery, outcome = next(one for one in failed if one[1].kind == kind)
        first = outcome.error.splitlines()[0]
        raise HandlersBroken(
            f"{count} of {ran} deliveries failed alike, as if a deploy had broken the handlers; nothing of this batch "
            f"is committed until it is repaired. {delivery.handler.name}: {first}"
        )
