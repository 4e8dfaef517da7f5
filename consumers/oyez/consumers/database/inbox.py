"""The inbox: which events a group has taken, so that each is handled once however often it is read.

The idempotent-consumer pattern: (group, source, id) is inserted in the transaction of the event's effects.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, Text, bindparam, delete

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_named, dialect_of
from .dialects.rows import ALWAYS, Rows
from .tables import inbox

EventId = tuple[str, str]
"""(source, id): what identifies an event."""


@cache
def _admit(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(source=Text, event_id=Text)
    given = rows.select(bindparam("group", type_=Text), bindparam("now", type_=Double)).where(ALWAYS)
    statement = (
        dialect.insert(inbox)
        .from_select(["source", "event_id", "group_name", "taken_at"], given)
        .on_conflict_do_nothing()
        .returning(inbox.c.source, inbox.c.event_id)
    )
    return rows, statement


def admit(db: Connection, group: str, ids: Collection[EventId], now: float) -> Collection[EventId]:
    """Put ``ids``, of which no two are the same, into the group's inbox; returns those that were not there before.

    They are inserted in sorted order, so that two workers with the same events wait for one another instead
    of deadlocking.
    """
    dialect = dialect_named(db.dialect.name)
    rows, statement = _admit(dialect)
    parameters = {**rows.bind(sorted(ids)), "group": group, "now": now}
    result = db.execute(statement, parameters)
    if dialect.inserted_all(result, len(ids)):
        return ids  # the usual case needs no rows
    found = result.all()
    return ids if len(found) == len(ids) else {(source, event_id) for source, event_id in found}


@cache
def _remove(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(source=Text, event_id=Text)
    statement = delete(inbox).where(
        inbox.c.group_name == bindparam("group"), rows.has(inbox.c.source, inbox.c.event_id)
    )
    return rows, statement


def remove(db: Connection, group: str, ids: set[EventId]) -> None:
    """Take ``ids`` out again: they were not handled, and will be read again."""
    if ids:
        rows, statement = _remove(dialect_of(db))
        db.execute(statement, {**rows.bind(sorted(ids)), "group": group})
