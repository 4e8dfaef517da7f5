"""Putting events that were not delivered back into the order in which they were announced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pydantic_core import from_json

from .outlet import Failed

_CHUNK = 1024 * 1024


def in_announce_order(failed: Iterable[Failed]) -> dict[str, list[Failed]]:
    """The events of each topic in the order in which this process announced them: that of their ids.

    The callbacks come in another: queue by queue, and what was on its way before or after what was not.
    """
    found: dict[str, list[Failed]] = {}
    for one in sorted(failed, key=_id):
        found.setdefault(one.topic, []).append(one)
    return found


def chunks(events: Sequence[Failed]) -> Iterator[Sequence[Failed]]:
    """The events in pieces of about a megabyte: where the disk is nearly full, some may still find room."""
    begin = size = 0
    for n, one in enumerate(events):
        size += len(one.value)
        if size > _CHUNK:
            yield events[begin : n + 1]
            begin, size = n + 1, 0
    if begin < len(events):
        yield events[begin:]


def _id(failed: Failed) -> str:
    try:
        return str(from_json(failed.value)["id"])
    except (ValueError, TypeError, KeyError):
        return ""  # of another maker than an announcer: it has no place among the others
