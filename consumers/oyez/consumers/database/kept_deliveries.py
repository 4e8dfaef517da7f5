"""Which deliveries of some events are parked or dead."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, Text, bindparam, select

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .inbox import EventId
from .tables import dead, parked


@cache
def _kept(dialect: Dialect, table: Table) -> tuple[Rows, Any]:
    rows = dialect.rows(source=Text, event_id=Text)
    statement = select(table.c.source, table.c.event_id).where(
        table.c.app == bindparam("of_app"),
        table.c.handler == bindparam("of_handler"),
        rows.has(table.c.source, table.c.event_id),
    )
    return rows, statement


def kept_of(
    db: Connection, app: str, handler: str, ids: Collection[EventId]
) -> tuple[set[EventId], set[EventId]]:
    """Those of these events whose delivery to a handler is parked, and those whose is a dead letter."""
    return _of(db, parked, app, handler, ids), _of(db, dead, app, handler, ids)


def _of(db: Connection, table: Table, app: str, handler: str, ids: Collection[EventId]) -> set[EventId]:
    rows, statement = _kept(dialect_of(db), table)
    found = db.execute(statement, {**rows.bind(sorted(ids)), "of_app": app, "of_handler": handler})
    return {(row.source, row.event_id) for row in found}
