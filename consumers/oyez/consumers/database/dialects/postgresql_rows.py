"""Many rows in one parameter, as PostgreSQL takes them: an array for each column."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Text, and_, any_, bindparam, cast, column, func
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from .rows import NAME, Rows


class ArrayRows(Rows):
    """Rows that are unnested from arrays. Each is sent as its text: drivers take ten times as long to write a list."""

    def __init__(self, types: Mapping[str, type[TypeEngine[typing.Any]]]) -> None:
        arrays = [
            cast(bindparam(_parameter(name), type_=Text), postgresql.ARRAY(kind))
            for name, kind in types.items()
        ]
        self._arrays = arrays
        columns = [column(name, kind) for name, kind in types.items()]
        table = func.unnest(*arrays).table_valued(*columns, name=NAME).render_derived()
        super().__init__(table, dict(table.c.items()))

    def matches(self, *columns: ColumnElement[typing.Any]) -> ColumnElement[bool]:
        """A join: as long as a table has no statistics, PostgreSQL may compare each of its rows with each given one
        otherwise."""
        return and_(*(ours == theirs for ours, theirs in zip(self.c.values(), columns, strict=True)))

    def holds(self, column: ColumnElement[typing.Any]) -> ColumnElement[bool]:
        """An array: its values are looked for in the index. For a set of rows PostgreSQL may rather read all of a table
        of some ten thousand."""
        (array,) = self._arrays
        return column == any_(array)

    def bind(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.c)
        return {_parameter(name): array_text(values) for name, values in zip(self.c, columns, strict=True)}


def _parameter(name: str) -> str:
    return f"{NAME}_{name}"


def array_text(values: Sequence[object]) -> str:
    """PostgreSQL's text for the array of these texts, numbers or booleans, of which some may be None."""
    if not values:
        return "{}"
    try:
        joined = '","'.join(typing.cast("Sequence[str]", values))
    except TypeError:  # they are not all texts
        return f"{{{','.join(map(_written, values))}}}"
    if "\\" in joined or joined.count('"') > 2 * (len(values) - 1):
        return f"{{{','.join(map(_written, values))}}}"
    return f'{{"{joined}"}}'


def _written(value: object) -> str:
    if isinstance(value, str):
        return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))
    return "NULL" if value is None else str(value)
