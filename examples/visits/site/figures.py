"""What became of what visitors did: the figures of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Subquery, func, select

from visits.site.tables import leaves, likes, links, views

MOST = 20
"""Pages and links that are shown, those with most first."""


@dataclass(frozen=True, slots=True)
class PageFigures:
    """One page; `seconds`: for how long it was looked at, on average."""

    path: str
    views: int
    seconds: float | None
    likes: int


@dataclass(frozen=True, slots=True)
class SiteReport:
    """The site. `visits`: those that are told apart; of the other views nobody knows whose they are."""

    views: int
    visits: int
    without_visit: int
    bots: int
    pages: list[PageFigures]
    links: dict[str, int]


def site_report(db: Connection) -> SiteReport:
    """All that was handled until now."""
    row = db.execute(
        select(
            func.count(),
            func.count(views.c.visit.distinct()),
            func.count().filter(views.c.visit.is_(None)),
            func.count().filter(views.c.bot),
        ).select_from(views)
    ).one()
    count = func.count().label("n")
    followed = select(links.c.target, count).group_by(links.c.target).order_by(count.desc(), links.c.target)
    return SiteReport(*row, _pages(db), dict(db.execute(followed.limit(MOST)).tuples().all()))


def _pages(db: Connection) -> list[PageFigures]:
    seen = _by_path(views, func.count())
    stayed, liked = _by_path(leaves, func.avg(leaves.c.seconds)), _by_path(likes, func.count())
    query = (
        select(seen.c.path, seen.c.n, stayed.c.n, func.coalesce(liked.c.n, 0))
        .outerjoin(stayed, stayed.c.path == seen.c.path)
        .outerjoin(liked, liked.c.path == seen.c.path)
        .order_by(seen.c.n.desc(), seen.c.path)
        .limit(MOST)
    )
    rows = db.execute(query)
    return [PageFigures(path, n, None if s is None else round(float(s), 1), k) for path, n, s, k in rows]


def _by_path(table: FromClause, figure: ColumnElement[Any]) -> Subquery:
    return select(table.c.path, figure.label("n")).select_from(table).group_by(table.c.path).subquery()
