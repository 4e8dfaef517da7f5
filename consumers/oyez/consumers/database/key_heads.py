"""The head of a (handler, key): the first of its parked rows by (rank, id), which alone may be claimed.

It is found by one look into an index, however many rows are behind it, and whatever the planner takes their number for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, ScalarSelect, Text, bindparam, or_, select

from oyez.schemas.declaration import Prerequisite

from .delivery_row import waits_of
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_named
from .dialects.rows import Rows
from .tables import parked

HandlerKey = tuple[str, str]
"""(handler, key): what order is kept for."""


class Head(NamedTuple):
    """The first parked row of a (handler, key): its rank, and the prerequisite it waits for."""

    rank: int
    waits: Prerequisite | None


def first_of_key(row: Any = parked) -> ColumnElement[bool]:
    """Whether no earlier row of the same (handler, key) is parked; always so for unordered rows."""
    return or_(~row.c.ordered, row.c.id == _first(row.c.app, row))


def head_of(given: FromClause, but: Rows | None = None) -> ScalarSelect[int]:
    """The id of the first row of each given (handler, key), ``but`` for those of these ids."""
    return _first(bindparam("of_app"), given, but)


def _first(app: Any, given: Any, but: Rows | None = None) -> ScalarSelect[int]:
    first = parked.alias("first")
    others = () if but is None else (~but.holds(first.c.id),)
    return (
        select(first.c.id)
        .where(
            first.c.app == app,
            first.c.handler == given.c.handler,
            first.c.key == given.c.key,
            first.c.ordered,
            *others,
        )
        .order_by(first.c.rank, first.c.id)
        .limit(1)
        .correlate(given)
        .scalar_subquery()
    )


@cache
def _heads(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text)
    given = rows.select().subquery("asked")
    statement = select(
        given.c.handler, given.c.key, parked.c.rank, parked.c.wait_signal, parked.c.wait_subject
    ).join_from(given, parked, parked.c.id == head_of(given))
    return rows, statement


def heads(db: Connection, app: str, keys: Iterable[HandlerKey]) -> dict[HandlerKey, Head]:
    """The heads of those (handler, key) that have parked rows."""
    asked = sorted(set(keys))
    if not asked:
        return {}
    rows, statement = _heads(dialect_named(db.dialect.name))
    found = db.execute(statement, {**rows.bind(asked), "of_app": app}).all()
    if not found:
        return {}
    return {(row.handler, row.key): Head(row.rank, waits_of(row)) for row in found}
