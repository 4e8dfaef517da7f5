"""Times as reports have them."""

from __future__ import annotations

from datetime import UTC, datetime

# A day from where Python's calendar ends, so that each time zone has them.
_FIRST = datetime(1, 1, 2, tzinfo=UTC).timestamp()
_LAST = datetime(9999, 12, 30, tzinfo=UTC).timestamp()


def utc(seconds: float) -> datetime:
    """Seconds since the epoch as an aware time; the first or the last there is for what lies beyond."""
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)
