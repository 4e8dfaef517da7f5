"""Deliveries that a deploy has left behind: those that no handler is there for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select


def deliveries_of(
    db: Connection,
    table: Table,
    app: str,
    handlers: Sequence[str],
    signals: Sequence[str],
    after: int,
    most: int,
) -> list[Any]:
    """The next deliveries of ``handlers`` with a subject, of events of ``signals``, that are parked or dead; not
    locked."""
    columns = [table.c[name] for name in ("id", "handler", "signal", "source", "event_id", "subject")]
    query = select(*columns).where(
        table.c.app == app,
        table.c.handler.in_(handlers),
        table.c.signal.in_(signals),
        table.c.subject.is_not(None),
        table.c.id > after,
    )
    return list(db.execute(query.order_by(table.c.id).limit(most)))
