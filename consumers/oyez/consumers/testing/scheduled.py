"""What is to be announced later, as a test looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from oyez.schemas import Catalogue, Event

from ..database.tables import scheduled
from .decoding import OfEvent, event_of


@dataclass(frozen=True, repr=False)
class ScheduledEvent(OfEvent):
    """An event that is announced in ``due_in`` seconds. ``event`` is None where it cannot be decoded."""

    signal: str
    event: Event[Any] | None
    due_in: float

    def __repr__(self) -> str:
        return f"<{self._said} is announced in {self.due_in:.0f} s>"


def scheduled_events(db: Connection, signals: Catalogue, now: float) -> list[ScheduledEvent]:
    """All that is scheduled in a database, in the order in which it is due."""
    return [
        ScheduledEvent(row.signal, event_of(row.value, None, row.key, signals), max(0.0, row.due_at - now))
        for row in db.execute(select(scheduled).order_by(scheduled.c.due_at, scheduled.c.id))
    ]
