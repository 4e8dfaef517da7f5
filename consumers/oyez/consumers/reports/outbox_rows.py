"""What stands in the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from ..database import outbox as statements
from ..database.tables import outbox
from .times import utc


@dataclass(frozen=True)
class OutboxState:
    """How much waits, the ``oldest`` of it for so many seconds; how much was ``refused`` and does not wait any more;
    what went wrong last, when (aware, in UTC), and who relays."""

    backlog: int
    oldest: float | None
    refused: int
    error: str | None
    failed_at: datetime | None
    relay: str | None


@dataclass(frozen=True)
class OutboxRow:
    """An event in the outbox: since when (aware, in UTC), of ``size`` bytes; ``refused`` says why it does not wait."""

    id: int
    topic: str
    key: str | None
    announced_at: datetime
    size: int
    refused: str | None


def outbox_state(db: Connection, now: float) -> OutboxState:
    """The state of the outbox; ``now`` is in seconds since the epoch."""
    found = statements.state(db)
    return OutboxState(
        backlog=found.backlog,
        oldest=None if found.oldest is None else max(0.0, now - found.oldest),
        refused=found.refused,
        error=found.error,
        failed_at=None if found.failed_at is None else utc(found.failed_at),
        relay=found.owner,
    )


def waiting_rows(db: Connection, limit: int) -> list[OutboxRow]:
    """The first events that wait, in the order in which they leave."""
    return _rows(db, outbox.c.refused.is_(None), limit)


def refused_rows(db: Connection, limit: int) -> list[OutboxRow]:
    """The first events that were refused."""
    return _rows(db, outbox.c.refused.is_not(None), limit)


def _rows(db: Connection, which: ColumnElement[bool], limit: int) -> list[OutboxRow]:
    columns: Sequence[ColumnElement[object]] = (
        outbox.c.id,
        outbox.c.topic,
        outbox.c.key,
        outbox.c.announced_at,
        func.length(outbox.c.value).label("size"),
        outbox.c.refused,
    )
    query = select(*columns).where(which).order_by(outbox.c.id).limit(limit)
    return [
        OutboxRow(row.id, row.topic, row.key, utc(row.announced_at), row.size, row.refused)
        for row in db.execute(query)
    ]
