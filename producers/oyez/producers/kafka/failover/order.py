"""Putting events that were not delivered back into the order in which they were announced."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic_core import from_json

from .outlet import Failed


def in_announce_order(failed: Iterable[Failed]) -> dict[str, list[Failed]]:
    """The events of each topic in the order in which this process announced them: that of their ids.

    The callbacks come in another: queue by queue, and what was on its way before or after what was not.
    """
    found: dict[str, list[Failed]] = {}
    for one in sorted(failed, key=_id):
        found.setdefault(one.topic, []).append(one)
    return found


def _id(failed: Failed) -> str:
    try:
        return str(from_json(failed.value)["id"])
    except (ValueError, TypeError, KeyError):
        return ""  # of another maker than an announcer: it has no place among the others
