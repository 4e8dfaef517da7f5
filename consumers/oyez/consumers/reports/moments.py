"""The moments of a timeline, each made of a row, or of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic_core import from_json
from sqlalchemy import Connection

from oyez.schemas.decoding import time_of
from oyez.schemas.errors import Undecodable

from ..database.due import due_since
from ..database.event_times import made_at
from ..database.tables import dead, parked
from . import timeline_rows
from .deliveries import state_of
from .times import utc

What = Literal[
    "announced",
    "scheduled",
    "in the outbox",
    "refused",
    "arrived",
    "done",
    "waiting",
    "behind",
    "due",
    "retried",
    "paused",
    "dead",
    "expired",
    "met",
    "mail",
]
FIRST = ("announced", "scheduled", "in the outbox", "arrived")
"""What comes first, in this order, of what was at the same time."""
STAYS = ("waiting", "behind", "due", "retried", "paused")
"""What lasts until something else becomes of the delivery."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. Times are aware, in UTC.

    ``announced``, ``scheduled``, ``arrived``, ``in the outbox`` and ``refused`` are of an event, ``met`` of a
    prerequisite, a ``mail`` of a handler; the others are of a delivery. ``lasted``: for how many seconds a delivery
    stayed so; None where it still does. ``seconds``: what the handlers of its transaction took, for the ``together``
    deliveries that ran in it. ``released_by``: the event that met what it waited for, as far as the journal has it.
    ``is_now``: it is so still.
    """

    at: datetime
    what: What
    signal: str | None = None
    source: str | None = None
    event_id: str | None = None
    group: str | None = None
    handler: str | None = None
    subject: str | None = None
    attempts: int | None = None
    seconds: float | None = None
    together: int | None = None
    lasted: float | None = None
    wait_signal: str | None = None
    wait_subject: str | None = None
    met_at: datetime | None = None
    released_by: str | None = None
    due_at: datetime | None = None
    reason: str | None = None
    error: str | None = None
    mail: int | None = None
    mail_state: str | None = None
    is_now: bool = False


def _of(row: Any) -> dict[str, Any]:
    return {
        "signal": row.signal or None,
        "source": row.source or None,
        "event_id": row.event_id,
        "group": row.group_name,
        "handler": row.handler or None,
        "subject": row.subject,
        "attempts": row.attempts,
        "wait_signal": row.wait_signal,
        "wait_subject": row.wait_subject,
        "error": row.error,
    }


def journaled_moment(row: Any) -> Moment:
    """What the journal says of a delivery."""
    return Moment(
        at=utc(row.at),
        what=row.outcome,
        seconds=row.seconds,
        together=row.together,
        due_at=None if row.due_at is None else utc(row.due_at),
        reason=row.reason,
        **_of(row),
    )


def parked_moment(row: Any) -> Moment:
    """Since when a delivery is parked, as it is now."""
    due = None if row.due_at is None else utc(due_since(row.due_at))
    return Moment(at=utc(row.parked_at), what=state_of(row), due_at=due, is_now=True, **_of(row))


def dead_moment(row: Any) -> Moment:
    """When a delivery was given up."""
    return Moment(at=utc(row.died_at), what="dead", reason=row.reason, is_now=True, **_of(row))


def announced_moments(db: Connection, *kinds: Sequence[Any]) -> Iterator[Moment]:
    """When each event was announced: as the journal has it, or its bytes, or its id. An event that was scheduled has
    an id of that moment, and the time at which it was due. Who announced what could not be decoded is
    not known."""
    of_journal, of_parked, of_dead = kinds
    told: set[tuple[str, str]] = set()
    said = {id(row): row.announced_at for row in of_journal}
    for table, rows in ((parked, of_parked), (dead, of_dead)):
        found = timeline_rows.values(db, table, [row.id for row in rows])
        said |= {id(row): _time_in(found.get(row.id, b"")) for row in rows}
    for row in (*of_journal, *of_parked, *of_dead):
        at = said.get(id(row)) or made_at(row.event_id)
        if row.source and at is not None and (row.source, row.event_id) not in told:
            told.add((row.source, row.event_id))
            yield Moment(
                utc(at), "announced", row.signal or None, row.source, row.event_id, subject=row.subject
            )


def _time_in(value: bytes) -> float | None:
    try:
        return time_of(from_json(value)["time"]).timestamp()
    except (ValueError, TypeError, KeyError, AttributeError, Undecodable, OverflowError):
        return None


def arrived_moments(
    db: Connection, groups: Sequence[str], of_journal: Sequence[Any], deliveries: Sequence[Moment]
) -> Iterator[Moment]:
    """When each group took each event, by its inbox; or as the journal has it, of a group that has none."""
    events = {(one.source or "", one.event_id or ""): one.signal for one in deliveries}
    found = {
        (row.group_name, row.source, row.event_id): row.taken_at
        for row in timeline_rows.taken(db, groups, events)
    }
    for row in of_journal:
        found.setdefault((row.group_name, row.source, row.event_id), row.arrived_at)
    for (group, source, event_id), at in found.items():
        yield Moment(utc(at), "arrived", events.get((source, event_id)), source, event_id, group)


def mail_moments(
    db: Connection, app: str, names: Sequence[str], events: set[tuple[str, str]]
) -> Iterator[Moment]:
    """When each mail was queued, and when it came to be as it is now."""
    for row in timeline_rows.mails(db, app, names, events):
        for at, state in {row.queued_at: "queued", row.changed_at: row.state}.items():
            yield Moment(
                utc(at),
                "mail",
                source=row.source,
                event_id=row.event_id,
                handler=row.handler,
                attempts=row.attempts,
                mail=row.id,
                mail_state=state,
                error=row.error if state == row.state else None,
            )


def in_outbox_moments(row: Any) -> Iterator[Moment]:
    """What stands in the outbox."""
    try:
        event = from_json(bytes(row.value))
        known = {"signal": event.get("type"), "source": event.get("source"), "event_id": event.get("id")}
    except (ValueError, AttributeError):
        known = {}
    what: What = "in the outbox" if row.refused is None else "refused"
    yield Moment(utc(row.announced_at), what, reason=row.refused, is_now=True, **known)


def scheduled_moment(row: Any) -> Moment:
    """What is to be announced later, since when."""
    known = {"signal": row.signal, "source": row.source, "event_id": row.event_id, "subject": row.subject}
    return Moment(utc(row.scheduled_at), "scheduled", due_at=utc(row.due_at), is_now=True, **known)
