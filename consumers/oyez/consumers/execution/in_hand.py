"""Which event a handler of many had in hand when it failed, as far as can be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oyez.schemas import Event

from .delivery import Delivery


def in_hand(error: BaseException, given: Sequence[Any]) -> int | None:
    """The place of the event that is named by a variable where ``error`` was raised, or else where that was called
    from; None if there is none.

    It is a guess, good enough to look there first: handlers go through their lists in a loop.
    """
    given = [_event_of(one) for one in given]
    found, trace = None, error.__traceback__
    kinds = {type(given[0]), type(given[0].data) if isinstance(given[0], Event) else type(given[0])}
    while trace is not None:
        named = [one for one in trace.tb_frame.f_locals.values() if type(one) in kinds]
        if named:
            found = max((at for at, one in enumerate(given) if _is_one_of(one, named)), default=found)
        trace = trace.tb_next
    return found


def _event_of(payload: Any) -> Any:
    """The event, or its data: a handler that is watched is given deliveries."""
    if not isinstance(payload, Delivery):
        return payload
    return payload.taken.known or payload.taken.data


def _is_one_of(event: Any, named: Sequence[Any]) -> bool:
    return any(event is one or (isinstance(event, Event) and event.data is one) for one in named)
