"""What the database says of the visits: the report and the export."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TextIO

from sqlalchemy import Connection, func, select

from visits.tables import imports, visits

EXPORTED = ["session_id", "started_at", "ended_at", "page_views", "entry_page", "exit_page"]


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a site; a bounce is a visit of one view."""

    unparsed_lines: int
    page_views: int
    visitors: int
    visits: int
    bounces: int
    longest_visit_views: int


def report(db: Connection) -> Report:
    """The figures of everything imported into this database."""
    row = db.execute(
        select(
            func.coalesce(func.sum(visits.c.page_views), 0).label("page_views"),
            func.count(visits.c.visitor_id.distinct()).label("visitors"),
            func.count().label("visits"),
            func.count().filter(visits.c.page_views == 1).label("bounces"),
            func.coalesce(func.max(visits.c.page_views), 0).label("longest_visit_views"),
        )
    ).one()
    unparsed = db.execute(select(func.coalesce(func.sum(imports.c.unparsed_lines), 0))).scalar_one()
    return Report(int(unparsed), *row)


def export(db: Connection, out: TextIO) -> None:
    """Write every visit as CSV, sorted by session, times in unix seconds."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(EXPORTED)
    # Sorted here: how a database sorts text depends on its collation.
    columns = [visits.c[name] for name in EXPORTED]
    rows.writerows(sorted(tuple(row) for row in db.execute(select(*columns))))
