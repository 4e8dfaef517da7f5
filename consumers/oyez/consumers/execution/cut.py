"""Cutting a batch whose time was up.

Events of which nobody has begun anything are left to be read again; of the others, the deliveries that have not run are
parked, due now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..core.outcomes import BEHIND, UNRUN
from ..database.key_heads import HandlerKey
from .delivery import Delivery, Result
from .reader import Taken

Place = tuple[str, int]
"""Topic and number of a partition."""


class Cut(NamedTuple):
    """The ``results`` that stay, the events of the ``tail``, and where it begins in each partition that has one."""

    results: list[Result]
    tail: list[Taken]
    ends: dict[Place, int]


def cut(results: Sequence[Result]) -> Cut:
    """Cut a batch after the last event of each partition of which something has run. Where there was time for all, it
    stays whole: of what is paused or not ready nothing runs, and it would come back for ever."""
    in_order = sorted(results, key=lambda result: result[0].at)
    if all(outcome is not UNRUN for _, outcome in in_order):
        return Cut(in_order, [], {})
    last = _last(in_order)
    kept: list[Result] = []
    tail: dict[int, Taken] = {}
    ends: dict[Place, int] = {}
    for delivery, outcome in in_order:
        place, offset = _where(delivery)
        if offset <= last.get(place, -1):
            kept.append((delivery, outcome))
        else:
            tail[delivery.at] = delivery.taken
            ends[place] = min(offset, ends.get(place, offset))
    return Cut(_in_order(kept), list(tail.values()), ends)


def _last(results: Iterable[Result]) -> dict[Place, int]:
    last: dict[Place, int] = {}
    for delivery, outcome in results:
        if outcome.has_run:
            place, offset = _where(delivery)
            last[place] = max(offset, last.get(place, offset))
    return last


def _in_order(results: Iterable[Result]) -> list[Result]:
    """What has not run, behind what has not run before it: only the first of a key is due."""
    held: set[HandlerKey] = set()
    found: list[Result] = []
    for delivery, outcome in results:
        key = delivery.ordered_key
        found.append((delivery, BEHIND if outcome is UNRUN and key in held else outcome))
        if key is not None and outcome.holds_key:
            held.add(key)
    return found


def _where(delivery: Delivery) -> tuple[Place, int]:
    record: Any = delivery.taken.record
    return (record.topic(), record.partition()), record.offset()
