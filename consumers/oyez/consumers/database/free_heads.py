"""Which keys does somebody run? Those whose head is locked: claiming a head is claiming its key."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, select

from .behind import is_behind
from .claims import unclaimed
from .delivery_row import waits_of
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .key_heads import HandlerKey, Head, head_of
from .tables import parked


class FreeHead(NamedTuple):
    """A head that nobody has claimed: whether it waits for its turn, which it has; and ``head``, if it waits for an
    event of its own signal, which may be behind it."""

    is_stranded: bool
    head: Head | None


@cache
def _heads(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text)
    given = rows.select().subquery("asked")
    first = select(head_of(given)).select_from(given)
    row = parked.c
    state = (is_behind().label("is_stranded"), row.signal, row.rank, row.wait_signal, row.wait_subject)
    columns = (row.handler, row.key, *state)
    return rows, select(*columns).where(dialect.is_one_of(parked.c.id, first))


def free_heads(db: Connection, app: str, keys: Iterable[HandlerKey]) -> dict[HandlerKey, FreeHead]:
    """Lock the heads that nobody has claimed, by their keys."""
    asked = sorted(set(keys))
    if not asked:
        return {}
    rows, heads = _heads(dialect_of(db))
    found = db.execute(unclaimed(heads, parked), {**rows.bind(asked), "of_app": app})
    return {(row.handler, row.key): _free(row) for row in found}


def _free(row: Any) -> FreeHead:
    is_own = row.wait_signal == row.signal
    return FreeHead(bool(row.is_stranded), Head(row.rank, waits_of(row)) if is_own else None)


def has_heads(db: Connection, app: str, keys: Iterable[HandlerKey]) -> set[HandlerKey]:
    """Those of these keys in which anything is parked."""
    asked = sorted(set(keys))
    if not asked:
        return set()
    rows, heads = _heads(dialect_of(db))
    return {(row.handler, row.key) for row in db.execute(heads, {**rows.bind(asked), "of_app": app})}


def busy_keys(db: Connection, app: str, keys: Iterable[HandlerKey]) -> set[HandlerKey]:
    """Those of which somebody has claimed the head, and so the key. The heads of the others are locked."""
    asked = set(keys)
    return has_heads(db, app, asked - free_heads(db, app, asked).keys())
