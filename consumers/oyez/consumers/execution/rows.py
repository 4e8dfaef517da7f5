"""Rows for the retry table and for dead letters, made of deliveries."""

from __future__ import annotations

from oyez.schemas.declaration import Prerequisite
from oyez.schemas.text import flaw

from ..core.record import Record
from ..database.delivery_row import Columns, RecordPlace, delivery_row, letter_row
from ..database.parked_row import ParkedRow
from ..handlers.application import Group
from .decide import Bury, Park
from .delivery import Delivery


def parked_row(group: Group, delivery: Delivery, now: float, to: Park) -> Columns:
    """A new row of the retry table."""
    return {
        **_row(group, delivery, now, to.waits, to.attempts, to.error, to.span),
        "due_at": to.due_at,
        "head_since": None if to.counts == "behind" else now,
        "raised": to.raised,
    }


def dead_row(group: Group, delivery: Delivery, now: float, bury: Bury) -> Columns:
    """A dead letter for a delivery."""
    parked_id = None if delivery.row is None else delivery.row.id
    row = _row(group, delivery, now, bury.waits, bury.attempts, bury.error, bury.span)
    return letter_row(row, bury.reason, now, parked_id=parked_id)


def _row(
    group: Group,
    delivery: Delivery,
    now: float,
    waits: Prerequisite | None,
    attempts: int | None,
    error: str | None,
    span: str | None,
) -> Columns:
    """``attempts``: None if this was none; ``span``: that of this attempt."""
    taken, row = delivery.taken, delivery.row
    before = 0 if row is None else row.attempts
    return delivery_row(
        taken.record,
        app=group.app,
        group=group.name,
        handler=delivery.handler.name,
        signal=taken.declaration.name,
        source=taken.source,
        event_id=taken.id,
        key=taken.key,
        subject=taken.declaration.subject_of(taken.data),
        parked_at=now if row is None else row.parked_at,
        rank=delivery.rank,
        ordered=delivery.ordered_key is not None,
        waits=waits,
        attempts=before if attempts is None else attempts,
        error=error,
        first_attempt=first_attempt(row, span),
    )


def first_attempt(row: ParkedRow | None, span: str | None) -> str | None:
    """The span of a delivery's first attempt, after one with this span."""
    return span if row is None else row.first_attempt or span


def undecodable_row(group: Group, record: Record, topic_id: str, reason: str, now: float) -> Columns:
    """The one dead letter that the application keeps for a record that is no event."""
    place = RecordPlace(record.topic(), record.partition(), record.offset())
    row = delivery_row(
        record,
        app=group.app,
        group=group.name,
        handler="",
        signal="",
        source="",
        event_id=f"{topic_id}/{place.partition}/{place.position}",
        key=_key(record),
        subject=None,
        parked_at=now,
        error=reason,
    )
    return letter_row(row, "undecodable", now, place=place)


def _key(record: Record) -> str | None:
    """The record's key, if it can be one: another producer may have written anything."""
    key = (record.key() or b"").decode(errors="replace")
    return None if flaw(key) else key
