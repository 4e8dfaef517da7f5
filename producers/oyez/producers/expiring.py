"""From when an event is of no use, as `expires=` says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from oyez.schemas import InvalidEvent
from oyez.schemas.encoding import expiry_member

from .scheduling import LATEST, moment, nanoseconds
from .stamps import TimeText

Expires: TypeAlias = datetime | timedelta
"""A moment with a zone, or the time until then, counted from the event's time."""


def expiring(expires: Expires, time: int) -> str:
    """The member that says so, of an event whose `time` is in ns since the epoch. InvalidEvent: it does not say when,
    or not a moment after that time."""
    until = _until(expires, time)
    if until > round(LATEST * 1e9):
        raise InvalidEvent("announce: expires= is later than the year 9999")
    if until // 1000 <= time // 1000:
        said, own = TimeText()(until), TimeText()(time)
        raise InvalidEvent(
            f"announce: it would expire at {said}, which is not after its time, {own}; give a later expires="
        )
    return expiry_member(TimeText()(until))


def _until(expires: Expires, time: int) -> int:
    if isinstance(expires, timedelta):
        return time + expires // timedelta(microseconds=1) * 1000
    return nanoseconds(moment("expires", expires, "a datetime with a zone, or a timedelta"))
