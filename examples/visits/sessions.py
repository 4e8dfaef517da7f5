"""The first pass over a log: who the visitors are, and where one visit ends and the next begins.

A real site has all of this in a cookie.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from visits.accesslog import View

GAP = 1800  # seconds without a view that a visit survives


@dataclass(frozen=True, slots=True)
class Step:
    """A page view and the visit it belongs to; first if the visit begins with it."""

    view: View
    session_id: str
    visitor_id: str
    first: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A row of the table visits: times in unix seconds, pages as logged."""

    session_id: str
    visitor_id: str
    started_at: int
    ended_at: int
    page_views: int
    entry_page: str
    exit_page: str


def steps_of(views: Iterable[View]) -> list[Step]:
    """Assign every view to its visit; the steps come back in the order of the log's lines."""
    by_visitor: dict[tuple[str, str], list[View]] = defaultdict(list)
    for view in views:
        by_visitor[view.address, view.agent].append(view)
    steps = [step for own in by_visitor.values() for step in _follow(own)]
    return sorted(steps, key=lambda step: step.view.line)


def _follow(views: list[View]) -> Iterable[Step]:
    """One visitor's views in time: a log is written when a request ends, so its lines are not."""
    before, session_id = None, ""
    for view in sorted(views, key=lambda view: (view.at, view.line)):
        first = before is None or view.at - before > GAP
        if first:
            session_id = _digest(f"{view.address}|{view.agent}|{view.at}")
        yield Step(view, session_id, _digest(f"{view.address}|{view.agent}"), first)
        before = view.at


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def visits_of(steps: Iterable[Step]) -> dict[str, Visit]:
    """The table visits as it must be in the end, by session: one view after the other, in order."""
    views: dict[str, list[Step]] = defaultdict(list)
    for step in sorted(steps, key=lambda step: (step.view.at, step.view.line)):
        views[step.session_id].append(step)
    return {session_id: _visit(own) for session_id, own in views.items()}


def _visit(steps: list[Step]) -> Visit:
    entry, last = steps[0], steps[-1]
    return Visit(
        session_id=entry.session_id,
        visitor_id=entry.visitor_id,
        started_at=entry.view.at,
        ended_at=last.view.at,
        page_views=len(steps),
        entry_page=entry.view.path,
        exit_page=last.view.path,
    )


def deal(steps: Iterable[Step], servers: int) -> list[list[Step]]:
    """What each server sees: line i of the log goes to server i mod servers."""
    hands: list[list[Step]] = [[] for _ in range(servers)]
    for step in steps:
        hands[step.view.line % servers].append(step)
    return hands
