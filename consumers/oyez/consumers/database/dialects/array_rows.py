"""Many rows in one parameter for each column: an array, for databases that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, column, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from .rows import NAME, Rows


class ArrayRows(Rows):
    """Rows that are unnested from arrays."""

    def __init__(self, types: Mapping[str, type[TypeEngine[Any]]]) -> None:
        arrays = [bindparam(_parameter(name), type_=ARRAY(kind)) for name, kind in types.items()]
        columns = [column(name, kind) for name, kind in types.items()]
        table = func.unnest(*arrays).table_valued(*columns, name=NAME).render_derived()
        super().__init__(table, dict(table.c.items()))

    def matches(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """A join: as long as a table has no statistics, PostgreSQL may compare each of its rows with each given one
        otherwise."""
        return and_(*(ours == theirs for ours, theirs in zip(self.c.values(), columns, strict=True)))

    def bind(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.c)
        return {_parameter(name): list(values) for name, values in zip(self.c, columns, strict=True)}


def _parameter(name: str) -> str:
    return f"{NAME}_{name}"
