"""Many rows in one parameter.

A statement over such rows is built once and costs one round trip, whatever the number of rows; a value list
of 500 tuples costs ten times as much to compile and to plan.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, select, text, tuple_

NAME = "given"
"""What the rows are called in a statement."""

ALWAYS = text("1 = 1")
"""SQLite cannot tell ``SELECT … ON CONFLICT`` from a join's ``ON`` unless a WHERE stands between."""


class Rows(ABC):
    """Columns of rows that are given when the statement is executed."""

    def __init__(self, table: FromClause, columns: Mapping[str, ColumnElement[Any]]) -> None:
        """``table`` has one line for each row, from which ``columns`` are read, in the order of `bind`."""
        self.table = table
        self.c = dict(columns)

    def select(self, *more: ColumnElement[Any]) -> Select[Any]:
        """All columns of the rows, in the order given, then ``more``."""
        return select(*(column.label(name) for name, column in self.c.items()), *more).select_from(self.table)

    def has(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a row with these columns is given.

        A join would say the same, but lets SQLite read the whole table and look each of its rows up here.
        """
        return tuple_(*columns).in_(self.select())

    def matches(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """As `has`, where no row is given twice."""
        return self.has(*columns)

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """As `has`, for rows of one column, which is the primary key of its table."""
        return self.has(column)

    @abstractmethod
    def bind(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        """The parameters that hold ``rows``."""
