"""Is there anything for a group in the retry table?"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from .claims import earliest_due
from .releasing import is_any_left


def next_due(db: Connection, group: str, handlers: Sequence[str]) -> float | None:
    """When the group's next parked row is due, if any is, in seconds since the epoch; at once where some are still to
    be released. Rows of handlers that are not registered never are."""
    if is_any_left(db, group):
        return float("-inf")
    earliest = earliest_due(db, group, handlers)
    return earliest[0][0] if earliest else None
