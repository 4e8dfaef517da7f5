"""The signals of a small application, as its author would write them."""

from datetime import timedelta

from oyez.schemas import Signal


class SessionStarted(Signal, name="session.started", number=1, key="session_id", subject="session_id"):
    session_id: str
    visitor_id: str


class PageViewed(
    Signal, name="page.viewed", number=3, key="session_id", requires={SessionStarted: "session_id"}
):
    session_id: str
    url: str


class PageClosed(Signal, name="page.closed", requires={"page.viewed": "url"}, remember=timedelta(days=1)):
    url: str
