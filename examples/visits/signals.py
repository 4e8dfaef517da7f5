"""What the servers announce, and what a handler does. All are keyed by the session: it is in one partition."""

from __future__ import annotations

from oyez.schemas import Signal


class Seen(Signal):
    """A page that was shown: at in unix seconds, line of the log (from 0), path as logged."""

    session_id: str
    at: int
    line: int
    path: str


class SessionStarted(Seen, name="session.started", number=1, key="session_id", subject="session_id"):
    """A visit began, with the page it began with."""

    visitor_id: str


class PageViewed(
    Seen, name="page.viewed", number=3, key="session_id", requires={SessionStarted: "session_id"}
):
    """A page of a visit was viewed; which server sees the first one is chance, so it may come too early."""


class VisitLanded(Signal, name="visit.landed", number=5, key="session_id"):
    """A visit was opened; page is the one that it began with, as logged. Announced by the handler that opens it."""

    session_id: str
    page: str
