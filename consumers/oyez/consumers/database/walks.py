"""Walking along an index, row by row, from several places at once.

Each row is found by one look into the index, from the row before it. So a walk costs what it finds: it reads no more of
a key or of a prerequisite than it was asked for, whatever the planner takes the number of rows for. (A join with a
limit may read all of them, and sort them, each time.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    Subquery,
    Table,
    func,
    select,
    true,
    tuple_,
)

from .dialects.dialect import Dialect

Matching = Callable[[Any, Any], Sequence[ColumnElement[bool]]]
"""Which rows of the table belong to a place of the walk: given both, the conditions, without those of the order."""
Order = tuple[str, ...]
"""Columns of the table, and of the places, in whose order the walk goes."""


def walk(
    dialect: Dialect,
    table: Table,
    given: FromClause,
    matching: Matching,
    order: Order,
    name: str,
    goes_on: Callable[[Any], ColumnElement[bool]] = lambda _place: true(),
) -> Subquery:
    """The places, with the columns of ``order`` taken from the rows that match each given place and come after it, the
    nearest first. To be limited: it goes on to the end otherwise. ``goes_on`` says from which place to look further."""
    step = partial(_sideways if dialect.joins_sideways else _step, dialect, table, matching, order)
    places = step(given).cte(name, recursive=True)
    walked = places.union_all(step(places).where(places.c[order[-1]].is_not(None), goes_on(places)))
    return select(walked).where(walked.c[order[-1]].is_not(None)).subquery(f"{name}_found")


def _sideways(
    _dialect: Dialect, table: Table, matching: Matching, order: Order, place: FromClause
) -> Select[Any]:
    """The same as `_step`, with one look for all columns of the order together."""
    row = table.alias()
    columns = [row.c[one] for one in order]
    after = tuple_(*columns) > tuple_(*(place.c[one] for one in order))
    found = select(*columns).where(*matching(row, place), after).order_by(*columns).limit(1).lateral()
    moved = [found.c[column.name] if column.name in order else column for column in place.c]
    return select(*moved).select_from(place.join(found, true()))


def _step(dialect: Dialect, table: Table, matching: Matching, order: Order, place: FromClause) -> Select[Any]:
    """From each place to the first row that matches it and comes after it."""
    after = _by_rows if len(order) == 1 or dialect.compares_rows else _by_columns
    columns: list[ColumnElement[Any]] = []
    for column in place.c:
        if column.name not in order:
            columns.append(column)
            continue
        found = [_first(table, place, matching, look, column) for look in after(order)]
        moved = found[0] if len(found) == 1 else func.coalesce(*found)
        columns.append(moved.label(column.name))
    return select(*columns).select_from(place)


def _by_rows(order: Order) -> list[_Look]:
    """What comes after a place, in one look."""
    return [_Look(equal=(), above=order)]


def _by_columns(order: Order) -> list[_Look]:
    """The same in two: the rest of what has the same first column, then what has a higher one."""
    first, last = order
    return [_Look(equal=(first,), above=(last,)), _Look(equal=(), above=(first,), then=(last,))]


class _Look(NamedTuple):
    """Rows whose columns ``equal`` are the place's, and whose columns ``above`` come after it; in the order of these,
    and ``then`` of others."""

    equal: Order
    above: Order
    then: Order = ()


def _first(
    table: Table, place: FromClause, matching: Matching, look: _Look, column: ColumnElement[Any]
) -> ScalarSelect[Any]:
    row = table.alias()
    above = tuple_(*(row.c[one] for one in look.above)) > tuple_(*(place.c[one] for one in look.above))
    equal = [row.c[one] == place.c[one] for one in look.equal]
    return (
        select(row.c[str(column.key)])
        .where(*matching(row, place), *equal, above)
        .order_by(*(row.c[one] for one in (*look.above, *look.then)))
        .limit(1)
        .correlate(place)
        .scalar_subquery()
    )
