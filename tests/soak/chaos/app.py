"""The application of the chaos: `oyez listen --app soak.chaos.app:on`. Each event carries its fate.

CHAOS_APP is its name.
"""

from __future__ import annotations

import os

from sqlalchemy import BigInteger, Column, Connection, Identity, Integer, MetaData, Table, Text, insert

from oyez.consumers import Backoff, Handlers, Reject
from oyez.schemas import Signal

tables = MetaData()
effects = Table(
    "chaos_effect",
    tables,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("handler", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("n", Integer, nullable=False),
)


class Opened(Signal, name="chaos.opened", key="k", subject="s"):
    k: str
    s: str
    n: int


class Viewed(Signal, name="chaos.viewed", key="k", requires={Opened: "s"}):
    """``fate``: what becomes of it in `view`: nothing special, fail, reject, die, or never (its subject is never
    opened)."""

    k: str
    s: str
    n: int
    fate: str = ""


on = Handlers(os.environ.get("CHAOS_APP", "chaos"))


@on(Opened)
def open_up(event: Opened, db: Connection) -> None:
    db.execute(insert(effects).values(handler="open_up", key=event.k, n=event.n))


@on(Viewed, retry=Backoff(first=4.0, longest=8.0, attempts=4))
def view(event: Viewed, db: Connection) -> None:
    """One event at a time."""
    db.execute(insert(effects).values(handler="view", key=event.k, n=event.n))
    match event.fate:
        case "fail":
            raise ValueError("as its fate is")
        case "reject":
            raise Reject("as its fate is")
        case "die":
            os._exit(1)


@on(Viewed)
def tally(events: list[Viewed], db: Connection) -> None:
    """Many at a time."""
    db.execute(insert(effects), [{"handler": "tally", "key": event.k, "n": event.n} for event in events])
