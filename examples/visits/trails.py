"""The order in which a session's events were handled, in one hash for each server they came from."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

START = ""


class Trail(NamedTuple):
    """How many events were handled, and the hash that only this order of these events gives."""

    events: int = 0
    h: str = START

    def then(self, event_id: str) -> Trail:
        """The trail after one more event."""
        return Trail(self.events + 1, sha256((self.h + event_id).encode()).hexdigest())


def trail_of(event_ids: Iterable[str]) -> Trail:
    """The trail of events handled in this order."""
    trail = Trail()
    for event_id in event_ids:
        trail = trail.then(event_id)
    return trail
