"""New rows of one of Oyez's own tables, sent as one statement with an array for each column.

A driver sends a statement for each row, and the server executes each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from .rows import NAME

LARGEST = 8_000_000
"""Bytes of values that are sent at most in one statement, unless a single row is larger; their text is twice that."""
PLACE = "place"

NewRow = Mapping[str, Any]
ArrayText = Callable[[Sequence[object]], str]
"""Writes an array as PostgreSQL reads it."""


def put(db: Connection, table: Table, rows: Sequence[NewRow], array_text: ArrayText) -> Sequence[int]:
    """See `Dialect.put`. All rows have the same columns."""
    names = tuple(rows[0])
    statement = _statement(table, names)
    heavy = [name for name in names if isinstance(table.c[name].type, LargeBinary)]
    ids: list[int] = []
    for some in _portions(rows, heavy):
        given = {
            _parameter(name): array_text(_values(table.c[name], [row[name] for row in some], db))
            for name in names
        }
        ids.extend(db.execute(statement, given).scalars())
    ids.sort()  # they were numbered in the order of the rows
    return ids if len(ids) == len(rows) else ()


def _portions(rows: Sequence[NewRow], heavy: Sequence[str]) -> Iterator[Sequence[NewRow]]:
    """All rows, in their order, or halves of them, and so on, where what is ``heavy`` of them is too much."""
    half = len(rows) // 2
    if half and sum([len(row[name] or b"") for name in heavy for row in rows]) > LARGEST:
        yield from _portions(rows[:half], heavy)
        yield from _portions(rows[half:], heavy)
    else:
        yield rows


@cache
def _statement(table: Table, names: tuple[str, ...]) -> Any:
    columns = [table.c[name] for name in names]
    arrays = [
        cast(bindparam(_parameter(one.name), type_=Text), postgresql.ARRAY(_sent_as(one))) for one in columns
    ]
    named = [column(one.name, _sent_as(one)) for one in columns]
    given = func.unnest(*arrays).table_valued(*named, with_ordinality=PLACE, name=NAME).render_derived()
    values = [_read(one, given.c[one.name]) for one in columns]
    rows = select(*values).select_from(given).order_by(given.c[PLACE])
    new = postgresql.insert(table).from_select(list(names), rows)
    return new.on_conflict_do_nothing().returning(table.c.id)


def _parameter(name: str) -> str:
    return f"{NAME}_{name}"


def _sent_as(one: Column[Any]) -> TypeEngine[Any]:
    """Bytes are sent as the text of their hexadecimal digits, in which nothing has to be quoted."""
    return Text() if isinstance(one.type, LargeBinary | TypeDecorator) else one.type


def _read(one: Column[Any], given: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.decode(given, "hex") if isinstance(one.type, LargeBinary) else given


def _values(one: Column[Any], values: Sequence[Any], db: Connection) -> Sequence[Any]:
    """What is written of them."""
    if isinstance(one.type, LargeBinary):
        return [None if value is None else value.hex() for value in values]
    if isinstance(one.type, TypeDecorator):
        kind = one.type
        return [kind.process_bind_param(value, db.dialect) for value in values]
    return values
