"""Rows behind a head that is gone: they were put there while it was deleted, or somebody has deleted it by hand. And
rows behind a head that waits for them: they were put there while it began to wait."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, delete, select

from . import passing
from .behind import is_behind, promote
from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .free_heads import free_heads, has_heads
from .key_heads import HandlerKey, first_of_key
from .tables import behind, parked

_LIMIT: Any = bindparam("most", type_=BigInteger)


class Looked(NamedTuple):
    """How many rows were made due; the last note that was looked at, if there may be more."""

    promoted: int
    last: int | None


_noted = unclaimed(
    select(behind.c.id, behind.c.handler, behind.c.key)
    .where(behind.c.group_name == bindparam("group"), behind.c.id > bindparam("after", type_=BigInteger))
    .order_by(behind.c.id)
    .limit(_LIMIT),
    behind,
)


def look(db: Connection, app: str, group: str, now: float, after: int, most: int) -> Looked:
    """Look at the keys in which something was put behind a head: what has become the head is due, and what the head
    waits for goes before it.

    A note is done with once the head was seen that nobody has claimed: whoever claims it later sees what is behind it.
    While somebody has claimed the head, who may have looked for what is behind it already, the note stays.
    """
    found = db.execute(_noted, {"group": group, "after": after, "most": most}).all()
    if not found:
        return Looked(0, None)
    keys = {(row.handler, row.key) for row in found}
    free = free_heads(db, app, keys)
    held = has_heads(db, app, keys - free.keys())
    waiting = {key: one.head for key, one in free.items() if one.head is not None}
    passing.overtake(db, app, waiting)
    stranded = {key for key, one in free.items() if one.is_stranded}
    promoted = promote(db, app, stranded | waiting.keys(), now)
    _forget(db, [row.id for row in found if (row.handler, row.key) not in held])
    return Looked(promoted, found[-1].id if len(found) == most else None)


@cache
def _done(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    return rows, delete(behind).where(rows.holds(behind.c.id))


def _forget(db: Connection, notes: Sequence[int]) -> None:
    if notes:
        rows, statement = _done(dialect_of(db))
        db.execute(statement, rows.bind([(number,) for number in notes]))


_next = (
    select(parked.c.id)
    .where(parked.c.id > bindparam("after", type_=BigInteger))
    .order_by(parked.c.id)
    .limit(_LIMIT)
)


@cache
def _alone(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    given = rows.holds(parked.c.id)
    columns = (parked.c.group_name, parked.c.handler, parked.c.key)
    return rows, select(*columns).where(given, is_behind(), first_of_key())


def find(db: Connection, group: str, after: int, most: int) -> tuple[list[HandlerKey], int | None]:
    """Keys of the group, among the next parked rows of all groups, whose first row waits for its turn, though nothing
    is before it; and the last of the rows, if there may be more. Nothing is locked. In a transaction of its own."""
    dialect_of(db).read_by_index(db)
    ids = list(db.execute(_next, {"after": after, "most": most}).scalars())
    if not ids:
        return [], None
    rows, statement = _alone(dialect_of(db))
    found = db.execute(statement, rows.bind([(n,) for n in ids]))
    keys = [(row.handler, row.key) for row in found if row.group_name == group]
    return keys, ids[-1] if len(ids) == most else None
