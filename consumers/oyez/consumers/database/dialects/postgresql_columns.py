"""Many rows for one INSERT: they are sent as one statement, with an array for each column.

A driver sends a statement for each row, and the server executes each. For a plain table nobody can tell the two apart,
but by the clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from .postgresql_plain_tables import is_plain

ENOUGH = 16
"""Rows for which it pays to ask what the table is like."""
FEW = 2
"""Rows for which it pays otherwise."""
LARGEST = 16_000_000
"""Characters that are sent at most in one statement."""

Rows = Sequence[Mapping[str, object]]

_NAME = r'(?:\w+|"(?:[^"%]|"")+")'
_VALUE = r"%\(\w+\)s(?:::[A-Z ]+)?"
_INSERT = re.compile(
    rf"INSERT INTO ({_NAME}(?:\.{_NAME})?) "  # noqa: S608 # it is read, not written
    rf"\(({_NAME}(?:, {_NAME})*)\) VALUES \(({_VALUE}(?:, {_VALUE})*)\)"
    rf"( ON CONFLICT(?: \({_NAME}(?:, {_NAME})*\))? DO NOTHING)?"
)
_GIVEN = re.compile(r"%\((\w+)\)s(?:::([A-Z ]+))?")
_AWARE, _NAIVE = "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITHOUT TIME ZONE"
NOTHING = "nothing but NULL"
_TYPES = {
    ("VARCHAR", str): "VARCHAR",
    ("INTEGER", int): "INTEGER",
    ("BIGINT", int): "BIGINT",
    ("SMALLINT", int): "SMALLINT",
    ("UUID", UUID): "UUID",
    ("DATE", date): "DATE",
    (_AWARE, datetime): _AWARE,
    (_NAIVE, datetime): _NAIVE,
    ("", bool): "BOOLEAN",
    ("", float): "DOUBLE PRECISION",
    ("", Decimal): "NUMERIC",
}
"""By the cast that SQLAlchemy has written, or none, and the type of the values: as what PostgreSQL takes them. Their
text means the same to it as what the driver sends."""


class Form(NamedTuple):
    """An INSERT of values, in SQLAlchemy's words."""

    table: str
    columns: str
    given: tuple[tuple[str, str], ...]
    """For each column the name of its parameter, and the cast."""
    otherwise: str
    """What is done where a row is there already; empty for nothing in particular."""


def in_columns(array_text: Callable[[Sequence[object]], str]) -> Callable[[Any, str, Rows, Any], bool]:
    """SQLAlchemy's ``do_executemany``, for the connections of handlers: it returns whether it has executed the
    statement. ``array_text`` writes an array as PostgreSQL reads it."""

    def send(cursor: Any, statement: str, parameters: Rows, context: Any) -> bool:
        form, connection = form_of(statement), context.root_connection
        known = connection.known_tables() if form and hasattr(connection, "known_tables") else None
        if form is None or known is None or len(parameters) < (FEW if form.table in known else ENOUGH):
            return False
        columns = [[row[name] for row in parameters] for name, _ in form.given]
        types = tuple(_type_of(cast, values) for (_, cast), values in zip(form.given, columns, strict=True))
        if not all(types) or not _is_plain(cursor, form, known):
            return False
        arrays = [array_text(values) for values, kind in zip(columns, types, strict=True) if kind != NOTHING]
        if not arrays or sum(map(len, arrays)) > LARGEST:
            return False
        cursor.execute(_of_arrays(form, types), arrays)
        return True

    return send


def _is_plain(cursor: Any, form: Form, known: dict[str, bool]) -> bool:
    if form.table not in known:
        known[form.table] = is_plain(cursor, form.table, _of_nothing(form))
    return known[form.table]


@lru_cache(256)
def form_of(statement: str) -> Form | None:
    """None for whatever is more than an INSERT of values."""
    found = _INSERT.fullmatch(statement)
    if found is None:
        return None
    return Form(found[1], found[2], tuple(_GIVEN.findall(found[3])), found[4] or "")


def _type_of(cast: str, values: Sequence[object]) -> str | None:
    """None if their text might mean something else than they do."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return NOTHING
    found = _TYPES.get((cast, kinds.pop())) if len(kinds) == 1 else None
    if found in (_AWARE, _NAIVE):
        zones = {value.tzinfo is None for value in values if isinstance(value, datetime)}
        return found if zones == {found == _NAIVE} else None
    return found


@lru_cache(256)
def _of_arrays(form: Form, types: tuple[str, ...]) -> str:
    """In the rows' order: numbers and other defaults are given in it."""
    is_given = [kind != NOTHING for kind in types]
    names = ", ".join(f"c{n}" for n, given in enumerate(is_given) if given)
    arrays = ", ".join(f"%s::{kind}[]" for kind, given in zip(types, is_given, strict=True) if given)
    values = ", ".join(
        f"c{n}" if given else null for n, (given, null) in enumerate(zip(is_given, _nulls(form), strict=True))
    )
    return (
        f"INSERT INTO {form.table} ({form.columns}) SELECT {values} "  # noqa: S608 # all of it is SQLAlchemy's
        f"FROM unnest({arrays}) WITH ORDINALITY AS given({names}, place) ORDER BY place{form.otherwise}"
    )


def _of_nothing(form: Form) -> str:
    return f"INSERT INTO {form.table} ({form.columns}) SELECT {', '.join(_nulls(form))}{form.otherwise}"


def _nulls(form: Form) -> list[str]:
    return [f"NULL::{cast}" if cast else "NULL" for _, cast in form.given]
