"""A small application for the tests of the command line."""

import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from oyez.consumers import Handlers
from oyez.schemas import Signal


class SessionStarted(Signal, name="cli.session.started", number=901, key="session_id", subject="session_id"):
    session_id: str


class PageViewed(
    Signal, name="cli.page.viewed", number=903, key="session_id", requires={SessionStarted: "session_id"}
):
    session_id: str
    url: str


class Measured(Signal, name="cli.measured", key="no", strict=True):
    no: str
    on: date
    lasted: timedelta
    proof: bytes
    amount: Decimal
    at: datetime
    any: Any = None


class Ticked(Signal, name="cli.ticked"):
    pass


on = Handlers("clishop", promises={"cli.ticked": "at-least-once"})
print("imported")  # may not get into what a command prints as data


@on(PageViewed)
def count_view(view: PageViewed, db: Session) -> None:
    print("handled")
    if view.url == "/bad":
        raise ValueError("no such\npage")
    note(db, view.url)


@on(SessionStarted)
def open_visit(_started: SessionStarted, db: Session) -> None:
    if "SHOP_CLOSED" in os.environ:
        raise ValueError("closed")
    note(db, "started")


@on(Ticked)
def tick(_ticked: Ticked) -> None:
    pass


def note(db: Session, what: str) -> None:
    db.execute(text("CREATE TABLE IF NOT EXISTS noted (what text)"))
    db.execute(text("INSERT INTO noted VALUES (:what)"), {"what": what[:50]})
