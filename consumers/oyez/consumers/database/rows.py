"""Many rows in one parameter: arrays on PostgreSQL, a JSON text on SQLite.

A statement over such rows is built once and costs one round trip, whatever the number of rows; a value list
of 500 tuples costs ten times as much to compile and to plan.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, column, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

_NAME = "given"

ALWAYS = text("1 = 1")
"""SQLite cannot tell ``SELECT … ON CONFLICT`` from a join's ``ON`` unless a WHERE stands between."""


class Rows:
    """Columns, by name and type, of rows that are given when the statement is executed."""

    def __init__(self, dialect: str, **types: type[TypeEngine[Any]]) -> None:
        self._dialect = dialect
        self._names = tuple(types)
        if dialect == "postgresql":
            arrays = [bindparam(f"{_NAME}_{name}", type_=ARRAY(kind)) for name, kind in types.items()]
            columns = [column(name, kind) for name, kind in types.items()]
            self.table = func.unnest(*arrays).table_valued(*columns, name=_NAME).render_derived()
            self.c: dict[str, ColumnElement[Any]] = dict(self.table.c.items())
        else:
            self.table = func.json_each(bindparam(_NAME, type_=Text)).table_valued("value", name=_NAME)
            self.c = {
                name: func.json_extract(self.table.c.value, f"$[{at}]", type_=kind)
                for at, (name, kind) in enumerate(types.items())
            }

    def select(self, *more: ColumnElement[Any]) -> Select[Any]:
        """All columns of the rows, in the order given, then ``more``."""
        return select(*(self.c[name].label(name) for name in self._names), *more).select_from(self.table)

    def has(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a row with these columns is given.

        A join would say the same, but lets SQLite read the whole table and look each of its rows up here.
        """
        return tuple_(*columns).in_(self.select())

    def matches(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """As `has`, where no row is given twice.

        On PostgreSQL a join: as long as a table has no statistics, it may compare each of its rows with each given one.
        """
        if self._dialect != "postgresql":
            return self.has(*columns)
        return and_(*(ours == theirs for ours, theirs in zip(self.c.values(), columns, strict=True)))

    def bind(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        """The parameters that hold ``rows``."""
        if self._dialect == "postgresql":
            columns = zip(*rows, strict=True) if rows else ((),) * len(self._names)
            return {
                f"{_NAME}_{name}": list(values) for name, values in zip(self._names, columns, strict=True)
            }
        return {_NAME: json.dumps(rows)}
