"""What happens for each event: `oyez listen --app visits.handlers:on`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Update, bindparam, case, insert, select, tuple_, update

from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.schemas import Event
from visits.signals import PageViewed, SessionStarted, VisitLanded
from visits.tables import landings, trail, visits
from visits.trails import Trail

on = Handlers("visits")

_LATER = tuple_(bindparam("at"), bindparam("line")) > tuple_(visits.c.ended_at, visits.c.exit_line)
_ADD_VIEWS = (
    update(visits)
    .where(visits.c.session_id == bindparam("session"))
    .values(
        page_views=visits.c.page_views + bindparam("views"),
        ended_at=case((_LATER, bindparam("at")), else_=visits.c.ended_at),
        exit_page=case((_LATER, bindparam("path")), else_=visits.c.exit_page),
        exit_line=case((_LATER, bindparam("line")), else_=visits.c.exit_line),
    )
)
_TRAIL: dict[Any, Any] = {trail.c.events: bindparam("n"), trail.c.h: bindparam("hash")}
_PLACE: dict[Any, Any] = {trail.c.session_id: bindparam("session"), trail.c.source: bindparam("server")}
_ADD_TRAIL = insert(trail).values({**_PLACE, **_TRAIL})
_EXTEND_TRAIL = update(trail).where(*(column == value for column, value in _PLACE.items())).values(_TRAIL)


@on(SessionStarted)
def open_visits(starts: list[SessionStarted], db: Connection, announcer: HandlerAnnouncer) -> None:
    """Begin each visit with its first page, which its page.viewed will count, and announce where it landed."""
    rows = [
        {
            "session_id": start.session_id,
            "visitor_id": start.visitor_id,
            "started_at": start.at,
            "ended_at": start.at,
            "page_views": 0,
            "entry_page": start.path,
            "exit_page": start.path,
            "exit_line": start.line,
        }
        for start in sorted(starts, key=lambda start: start.session_id)
    ]
    db.execute(insert(visits), rows)
    for start in starts:
        announcer.announce(VisitLanded(session_id=start.session_id, page=start.path), cause=start)


@on(VisitLanded, group="session.started", order="none")
def note_landings(landed: list[VisitLanded], db: Connection) -> None:
    """Note each landing; how many a page has is a count of its rows."""
    db.execute(insert(landings), [landing.model_dump() for landing in landed])


@on(PageViewed, order="none")
def count_views(views: list[PageViewed], db: Connection) -> None:
    """Count views and keep the last one of each visit; in which order they come makes no difference."""
    rows: dict[str, dict[str, Any]] = {}
    for view in sorted(views, key=lambda view: (view.session_id, view.at, view.line)):
        before = rows.get(view.session_id, {"views": 0})
        rows[view.session_id] = {
            "session": view.session_id,
            "views": before["views"] + 1,
            "at": view.at,
            "line": view.line,
            "path": view.path,
        }
    found = db.execute(_ADD_VIEWS, list(rows.values())).rowcount
    if found != len(rows):
        raise LookupError(f"{len(rows) - found} of {len(rows)} visits have not begun")


@on(SessionStarted)
def follow_starts(starts: list[Event[SessionStarted]], db: Connection) -> None:
    """A session's trail begins with its start, for the server that announced it."""
    _follow(starts, db)


@on(PageViewed, order="key")
def follow_views(views: list[Event[PageViewed]], db: Connection) -> None:
    """Extend the trail by each view, in the order of handling."""
    _follow(views, db)


def _follow(events: Sequence[Event[Any]], db: Connection) -> None:
    sessions = sorted({event.data.session_id for event in events})
    known = {
        (row.session_id, row.source): Trail(row.events, row.h)
        for row in db.execute(select(trail).where(trail.c.session_id.in_(sessions)))
    }
    trails: dict[tuple[str, str], Trail] = {}
    for event in events:
        place = event.data.session_id, event.source
        trails[place] = trails.get(place, known.get(place, Trail())).then(event.id)
    _store(_ADD_TRAIL, {place: own for place, own in trails.items() if place not in known}, db)
    _store(_EXTEND_TRAIL, {place: own for place, own in trails.items() if place in known}, db)


def _store(statement: Insert | Update, trails: dict[tuple[str, str], Trail], db: Connection) -> None:
    # Sorted, so that two transactions never lock the same rows in different orders.
    rows = [
        {"session": place[0], "server": place[1], "n": t.events, "hash": t.h} for place, t in trails.items()
    ]
    if rows:
        db.execute(statement, sorted(rows, key=lambda row: (row["session"], row["server"])))
