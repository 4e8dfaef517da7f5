"""Reading a list a page at a time, each of them by a statement of its own.

Whoever takes its rows may take as long as they like, a pager for instance: nothing is open in the database meanwhile.
What is written between two pages is seen by the later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, Table

PAGE = 500  # rows


@dataclass(frozen=True)
class Part:
    """A part of a list in the order of its ids: what comes after ``beyond``, if that is given. In one that is
    ``backwards`` the newest comes first, and what comes after is older."""

    backwards: bool = False
    beyond: int | None = None

    def of(self, query: Select[Any], table: Table) -> Select[Any]:
        """That part of what a query finds in a table."""
        number = table.c.id
        if self.beyond is not None:
            query = query.where(number < self.beyond if self.backwards else number > self.beyond)
        return query.order_by(number.desc() if self.backwards else number)


ALL = Part()
"""All of it, the oldest first."""


def paged(
    db: Connection, query: Select[Any], table: Table, limit: int | None = None, part: Part = ALL
) -> Iterator[Any]:
    """The rows that a query finds in a table, or a part of them, in the order of their ids, which it selects."""
    return by_pages(
        db, part.of(query, table), limit, lambda row: replace(part, beyond=row.id).of(query, table)
    )


def by_pages(
    db: Connection, query: Select[Any], limit: int | None, beyond: Callable[[Any], Select[Any]]
) -> Iterator[Any]:
    """The rows that a query finds, in its order, ``limit`` at most. ``beyond``: the query for what comes after one."""
    for size in _sizes(limit):
        page = db.execute(query.limit(size)).all()
        yield from page
        if len(page) < size:
            return
        query = beyond(page[-1])


def _sizes(limit: int | None) -> Iterator[int]:
    """How many rows each page may have, so that they are not more than ``limit`` together."""
    while limit is None:
        yield PAGE
    yield from (min(PAGE, limit - begin) for begin in range(0, limit, PAGE))
