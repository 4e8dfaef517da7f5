"""Rows that are behind the head of their key: they are due when they have become the head.

Whoever deletes a head makes the next row due. Whoever puts a row behind a head notes the key (`oyez_behind`): that head
may be deleted at this very moment, by a transaction that does not see the new row. And so does whoever deletes a row
without the head's lock: the transaction that deletes the head may find that row next, and nothing once it is gone. The
sweep looks at what was noted (see `stranded`), and at nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Text, and_, bindparam, delete, select, update

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import ALWAYS, Rows
from .due import at_once
from .key_heads import HandlerKey, head_of
from .tables import behind, parked


def is_behind() -> ColumnElement[bool]:
    """Whether a row waits for nothing but its turn."""
    return and_(parked.c.due_at.is_(None), parked.c.wait_signal.is_(None))


@cache
def _note(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(group_name=Text, handler=Text, key=Text)
    given = rows.select().where(ALWAYS)
    return rows, dialect.insert(behind).from_select(["group_name", "handler", "key"], given)


def note(db: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Note the keys of those new rows of the retry table that are behind others."""
    note_keys(
        db,
        {
            (row["group_name"], row["handler"], row["key"])
            for row in rows
            if row["ordered"] and row["due_at"] is None and row["wait_signal"] is None
        },
    )


def note_keys(db: Connection, keys: Iterable[tuple[str, str, str]]) -> None:
    """Note these (group, handler, key): what was deleted in them may not have been the head."""
    noted = sorted(set(keys))
    if noted:
        given, statement = _note(dialect_of(db))
        db.execute(statement, given.bind(noted))


@cache
def _promote(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text)
    given = rows.select().subquery("freed")
    statement = (
        update(parked)
        .values(due_at=bindparam("due"), head_since=bindparam("now"))
        .where(dialect.is_one_of(parked.c.id, select(head_of(given)).select_from(given)), is_behind())
    )
    return rows, statement


@cache
def _remove_and_promote(dialect: Dialect) -> tuple[Rows, Rows, Any]:
    """As one statement, which does not see what it deletes as deleted."""
    gone, freed = dialect.rows(id=BigInteger), dialect.rows(handler=Text, key=Text)
    given = freed.select().subquery("freed")
    first = head_of(given, but=gone)
    removed = delete(parked).where(gone.holds(parked.c.id)).cte("removed")
    statement = (
        update(parked)
        .values(due_at=bindparam("due"), head_since=bindparam("now"))
        .where(dialect.is_one_of(parked.c.id, select(first).select_from(given)), is_behind())
        .add_cte(removed)
    )
    return gone, freed, statement


def remove_and_promote(
    db: Connection, app: str, ids: Iterable[int], keys: Iterable[HandlerKey], now: float
) -> int:
    """Delete rows that are done, and make due those that have become the head of their (handler, key); returns how
    many. For databases that can do both at once."""
    gone, freed, statement = _remove_and_promote(dialect_of(db))
    given = {"of_app": app, "due": at_once(now), "now": now}
    bound = {**gone.bind([(one,) for one in ids]), **freed.bind(sorted(set(keys)))}
    return dialect_of(db).ask(db, statement, {**bound, **given}).changed


def promote(db: Connection, app: str, keys: Iterable[HandlerKey], now: float) -> int:
    """Make due the rows that have become the head of their (handler, key); returns how many."""
    freed = sorted(set(keys))
    if not freed:
        return 0
    rows, statement = _promote(dialect_of(db))
    given = {"of_app": app, "due": at_once(now), "now": now}
    return int(db.execute(statement, {**rows.bind(freed), **given}).rowcount)
