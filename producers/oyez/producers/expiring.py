"""From when an event is of no use, as `expires=` says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from oyez.schemas import InvalidEvent
from oyez.schemas.encoding import expiry_member

from .scheduling import LATEST, nanoseconds
from .stamps import TimeText

Expires: TypeAlias = datetime | timedelta
"""A moment with a zone, or the time until then, counted from the event's time."""


def expiring(expires: Expires, time: int) -> str:
    """The member that says so, of an event whose `time` is in ns since the epoch. InvalidEvent: it does not say when,
    or not a moment after that time."""
    moment = _moment(expires, time)
    if moment > round(LATEST * 1e9):
        raise InvalidEvent("announce: expires= is later than the year 9999")
    if moment // 1000 <= time // 1000:
        said, own = TimeText()(moment), TimeText()(time)
        raise InvalidEvent(
            f"announce: it would expire at {said}, which is not after its time, {own}; give a later expires="
        )
    return expiry_member(TimeText()(moment))


def _moment(expires: Expires, time: int) -> int:
    if isinstance(expires, timedelta):
        return time + expires // timedelta(microseconds=1) * 1000
    if not isinstance(expires, datetime):
        raise InvalidEvent(
            f"announce: expires= must be a datetime with a zone, or a timedelta, not {type(expires).__name__}"
        )
    if expires.utcoffset() is None:
        raise InvalidEvent(
            f"announce: expires={expires.isoformat()} has no zone; write datetime(…, tzinfo=UTC), or "
            f"expires.astimezone() for this machine's zone"
        )
    return nanoseconds(expires.timestamp())
