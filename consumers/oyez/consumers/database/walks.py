"""Walking along an index, row by row, from several places at once.

Each row is found by one look into the index, from the row before it. So a walk costs what it finds: it reads no more of
a key or of a prerequisite than it was asked for, whatever the planner takes the number of rows for. (A join with a
limit may read all of them, and sort them, each time.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, Subquery, Table, select, tuple_

Matching = Callable[[Any, Any], Sequence[ColumnElement[bool]]]
"""Which rows of the table belong to a place of the walk: given both, the conditions, without those of the order."""
Order = tuple[str, ...]
"""Columns of the table, and of the places, in whose order the walk goes."""


def walk(table: Table, given: FromClause, matching: Matching, order: Order, name: str) -> Subquery:
    """The places, with the columns of ``order`` taken from the rows that match each given place and come after it, the
    nearest first. To be limited: it goes on to the end otherwise."""
    places = _step(table, given, matching, order).cte(name, recursive=True)
    more = _step(table, places, matching, order).where(places.c[order[-1]].is_not(None))
    walked = places.union_all(more)
    return select(walked).where(walked.c[order[-1]].is_not(None)).subquery(f"{name}_found")


def _step(table: Table, place: FromClause, matching: Matching, order: Order) -> Select[Any]:
    columns = [
        _next(table, place, matching, order, column.name).label(column.name)
        if column.name in order
        else column
        for column in place.c
    ]
    return select(*columns).select_from(place)


def _next(table: Table, place: FromClause, matching: Matching, order: Order, name: str) -> ScalarSelect[Any]:
    """A column of the first row that matches a place and comes after it."""
    row = table.alias(f"next_{name}")
    found, reached = ([one.c[column] for column in order] for one in (row, place))
    return (
        select(row.c[name])
        .where(*matching(row, place), tuple_(*found) > tuple_(*reached))
        .order_by(*found)
        .limit(1)
        .correlate(place)
        .scalar_subquery()
    )
