"""Times and ids for new events."""

import os
from datetime import UTC, datetime

import uuid_utils

# A forked child would make its siblings' ids again; older versions of uuid-utils leave this to their users.
os.register_at_fork(after_in_child=uuid_utils.reseed_rng)

_DIGITS = [f"{n:03d}" for n in range(1000)]


def uuid7_text() -> str:
    """A new UUIDv7: ids sort by the time when they were made."""
    return str(uuid_utils.uuid7())


class TimeText:
    """Nanoseconds since the epoch as RFC 3339 text in UTC, with microseconds. The second's text is kept."""

    def __init__(self) -> None:
        self._known = (-1, "")

    def __call__(self, nanoseconds: int) -> str:
        second, rest = divmod(nanoseconds, 1_000_000_000)
        known = self._known
        if known[0] != second:
            text = datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()
            known = self._known = (second, text)
        microseconds = rest // 1000
        return f"{known[1]}.{_DIGITS[microseconds // 1000]}{_DIGITS[microseconds % 1000]}Z"
