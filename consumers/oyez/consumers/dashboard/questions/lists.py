"""A page of a list of deliveries, the newest first, and how many there are, counted up to a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table

from ...database import delivery_filter
from ...database.delivery_filter import Filter
from ...database.pages import Part
from ...database.tables import dead, parked
from ...reports import dead_deliveries, parked_deliveries
from .filters import WrongFilter

ON_A_PAGE = 50
MOST = 10_000
"""Deliveries that are counted."""

Listing = Callable[[Connection, Filter, int | None, Part], Iterator[Any]]
LISTINGS: Mapping[Table, Listing] = {parked: parked_deliveries, dead: dead_deliveries}


@dataclass(frozen=True)
class Listed:
    """``rows`` are deliveries. ``older`` and ``newer`` are ids between which and the next page nothing is; None where
    there is no such page. ``count`` is None if there are more than are counted."""

    rows: Sequence[Any]
    count: int | None
    older: int | None
    newer: int | None


def listed(db: Connection, table: Table, wanted: Filter, said: Mapping[str, str]) -> Listed:
    """The page that ``said`` asks for: the one ``below`` an id, ``above`` one, or the first. Raises `WrongFilter`."""
    below, above = _number(said, "below"), _number(said, "above")
    backwards = above is None
    part = Part(backwards, below if backwards else above)
    rows = list(LISTINGS[table](db, wanted, ON_A_PAGE + 1, part))
    goes_on, rows = len(rows) > ON_A_PAGE, rows[:ON_A_PAGE]
    rows = rows if backwards else rows[::-1]
    count = delivery_filter.count(db, table, wanted, MOST + 1)
    has_older = goes_on if backwards else bool(rows)
    has_newer = below is not None if backwards else goes_on
    return Listed(
        rows,
        count if count <= MOST else None,
        rows[-1].id if rows and has_older else None,
        rows[0].id if rows and has_newer else None,
    )


def _number(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise WrongFilter(f"{name} {text[:50]!r}: it is a number that a page has as a link")
    return int(text)
