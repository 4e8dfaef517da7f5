"""What is to be announced later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ..database.scheduled import ScheduledFilter, rows_of
from .times import utc


@dataclass(frozen=True)
class ScheduledEvent:
    """An event that is kept until it is due. Times are aware, in UTC; ``overdue``: seconds since it was due, None
    before."""

    id: int
    due_at: datetime
    signal: str
    source: str
    event_id: str
    topic: str
    key: str | None
    subject: str | None
    scheduled_at: datetime
    overdue: float | None


def scheduled_events(
    db: Connection, wanted: ScheduledFilter, most: int | None, now: float
) -> Iterator[ScheduledEvent]:
    """What the filter finds, in the order in which it is due; ``now`` in seconds since the epoch."""
    for row in rows_of(db, wanted, most):
        yield ScheduledEvent(
            row.id,
            utc(row.due_at),
            row.signal,
            row.source,
            row.event_id,
            row.topic,
            row.key,
            row.subject,
            utc(row.scheduled_at),
            round(now - row.due_at, 3) if row.due_at <= now else None,
        )
