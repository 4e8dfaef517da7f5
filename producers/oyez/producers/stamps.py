"""Times and ids for new events."""

import os
from datetime import UTC, datetime

import uuid_utils

# A forked child would make its siblings' ids again; older versions of uuid-utils leave this to their users.
os.register_at_fork(after_in_child=uuid_utils.reseed_rng)

_MILLISECOND = 1_000_000
_ENDS = [f"{n:03d}Z" for n in range(1000)]


def uuid7_text() -> str:
    """A new UUIDv7. In one process each is greater than all that any of its threads made before, also within one tick
    of the clock: what failed to arrive is put back into its order by its ids."""
    return str(uuid_utils.uuid7())


class TimeText:
    """Nanoseconds since the epoch as RFC 3339 text in UTC, with microseconds. The millisecond's text is kept."""

    def __init__(self) -> None:
        self._known = _millisecond_of(0)

    def __call__(self, nanoseconds: int) -> str:
        start, text = self._known
        rest = (nanoseconds - start) // 1000
        if not 0 <= rest < 1000:
            start, text = self._known = _millisecond_of(nanoseconds)
            rest = (nanoseconds - start) // 1000
        return f"{text}{_ENDS[rest]}"


def _millisecond_of(nanoseconds: int) -> tuple[int, str]:
    second, millisecond = divmod(nanoseconds // _MILLISECOND, 1000)
    text = datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()
    return nanoseconds // _MILLISECOND * _MILLISECOND, f"{text}.{millisecond:03d}"
