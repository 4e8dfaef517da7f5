"""Rows for the retry table and for dead letters, made of deliveries."""

from __future__ import annotations

from typing import Any

from oyez.schemas.declaration import Prerequisite
from oyez.schemas.text import flaw

from ..core.record import Original, Record
from ..database.claims import headers_text
from ..handlers.application import Group
from .decide import Bury, Park
from .delivery import Delivery


def delivery_row(group: Group, delivery: Delivery, now: float) -> dict[str, Any]:
    """What a parked row and a dead letter have in common."""
    taken, row = delivery.taken, delivery.row
    return {
        "app": group.app,
        "group_name": group.name,
        "handler": delivery.handler.name,
        "signal": taken.declaration.name,
        "source": taken.source,
        "event_id": taken.id,
        "key": taken.key,
        "subject": taken.declaration.subject_of(taken.data),
        "rank": delivery.rank,
        "ordered": delivery.ordered_key is not None,
        "wait_signal": None,
        "wait_subject": None,
        "attempts": 0 if row is None else row.attempts,
        "error": None if row is None else row.error,
        "parked_at": now if row is None else row.parked_at,
        **original(taken.record),
    }


def original(record: Original) -> dict[str, Any]:
    """The bytes that an event arrived as. They are decoded with the schema of the day they run."""
    return {"value": record.value(), "headers": headers_text(record.headers())}


def parked_row(group: Group, delivery: Delivery, now: float, to: Park) -> dict[str, Any]:
    """A new row of the retry table."""
    return {
        **delivery_row(group, delivery, now),
        **_waits(to.waits),
        "attempts": to.attempts or 0,
        "error": to.error,
        "due_at": to.due_at,
        "head_since": None if to.counts == "behind" else now,
        "raised": to.raised,
    }


def dead_row(group: Group, delivery: Delivery, now: float, bury: Bury) -> dict[str, Any]:
    """A dead letter for a delivery."""
    row = delivery_row(group, delivery, now)
    return {
        **row,
        **_waits(bury.waits),
        "attempts": row["attempts"] if bury.attempts is None else bury.attempts,
        "error": bury.error,
        "reason": bury.reason,
        "died_at": now,
        "parked_id": None if delivery.row is None else delivery.row.id,
        "topic": None,
        "partition": None,
        "position": None,
    }


def _waits(prerequisite: Prerequisite | None) -> dict[str, str | None]:
    return {
        "wait_signal": prerequisite.signal if prerequisite else None,
        "wait_subject": prerequisite.subject if prerequisite else None,
    }


def undecodable_row(group: Group, record: Record, topic_id: str, reason: str, now: float) -> dict[str, Any]:
    """The one dead letter that the application keeps for a record that is no event."""
    return {
        "app": group.app,
        "group_name": group.name,
        "handler": "",
        "signal": "",
        "source": "",
        "event_id": f"{topic_id}/{record.partition()}/{record.offset()}",
        "key": _key(record),
        "subject": None,
        "rank": 0,
        "ordered": False,
        "wait_signal": None,
        "wait_subject": None,
        "attempts": 0,
        "error": reason,
        "parked_at": now,
        "reason": "undecodable",
        "died_at": now,
        "parked_id": None,
        "topic": record.topic(),
        "partition": record.partition(),
        "position": record.offset(),
        **original(record),
    }


def _key(record: Record) -> str | None:
    """The record's key, if it can be one: another producer may have written anything."""
    key = (record.key() or b"").decode(errors="replace")
    return None if flaw(key) else key
