"""The application of these tests, for `oyez listen --app integration.rows.scripted_app:on`. Events say what is to be
done.

ROWS_APP is its name, ROWS_FOLDER where it finds out what it may do: what fails does so until the file `repaired` is
there, what waits does so until the file `go` is. With ROWS_BROKEN every handler of a placed event fails.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert, update

from oyez.consumers import Handlers, Reject
from oyez.schemas import Signal
from support.waiting import eventually

APP = os.environ.get("ROWS_APP", "rows")
FOLDER = Path(os.environ.get("ROWS_FOLDER", "."))
SECONDS = float(os.environ.get("ROWS_SECONDS", "2"))
BROKEN = bool(os.environ.get("ROWS_BROKEN"))

tables = MetaData()
effects = Table(
    "rows_effect",
    tables,
    Column("seq", Integer, primary_key=True),
    Column("handler", Text, nullable=False),
    Column("k", Text, nullable=False),
    Column("n", Integer, nullable=False),
)


class Placed(Signal, name="rows.placed", key="k"):
    """``asks`` what its first handler is to do: nothing, or fail, wait, sleep, lock, reject, die, die-beside, or end
    as no `Exception` does: cancel, interrupt, exit."""

    k: str
    n: int
    asks: str = ""


class Opened(Signal, name="rows.opened", key="s", subject="s"):
    s: str
    n: int = 0
    asks: str = ""


class Viewed(Signal, name="rows.viewed", key="k", requires={Opened: "s"}):
    k: str
    s: str
    n: int


class Replied(Signal, name="rows.replied", key="reply", subject="reply", requires={"rows.replied": "parent"}):
    reply: str
    parent: str | None = None
    n: int = 0


class Ticked(Signal, name="rows.ticked", key="k"):
    k: str
    n: int


on = Handlers(APP)


@on(Placed)
def place(event: Placed, db: Connection) -> None:
    note("place", [event], db)
    obey(event.asks, db)


@on(Placed)
def pack(event: Placed, db: Connection) -> None:
    note("pack", [event], db)
    obey("", db)


@on(Opened)
def open_up(event: Opened, db: Connection) -> None:
    obey(event.asks, db)
    db.execute(insert(effects).values(handler="open_up", k=event.s, n=event.n))


@on(Viewed)
def view(events: list[Viewed], db: Connection) -> None:
    note("view", events, db)


@on(Replied)
def reply(event: Replied, db: Connection) -> None:
    db.execute(insert(effects).values(handler="reply", k="", n=event.n))


@on(Ticked)
def tick(events: list[Ticked], db: Connection) -> None:
    """Leaves nothing: what a worker needs for it is its own."""


def note(handler: str, events: Sequence[Any], db: Connection) -> None:
    db.execute(insert(effects), [{"handler": handler, "k": event.k, "n": event.n} for event in events])


def obey(asks: str, db: Connection) -> None:
    if BROKEN:
        raise ImportError("no module named tax")
    match asks:
        case "fail" if not (FOLDER / "repaired").exists():
            raise ValueError("as asked")
        case "wait":
            (FOLDER / "inside").touch()
            eventually((FOLDER / "go").exists, 120)
        case "sleep":
            time.sleep(SECONDS)
        case "reject":
            raise Reject("as asked")
        case "lock":
            db.execute(update(effects).where(effects.c.handler == "locked").values(n=0))
        case "die":
            os._exit(1)
        case "die-beside":  # when another handler waits
            eventually((FOLDER / "inside").exists, 120)
            os.kill(os.getpid(), signal.SIGKILL)
        case "cancel" | "interrupt" | "exit":
            end_otherwise(asks)


def end_otherwise(asks: str) -> None:
    if asks == "cancel":
        asyncio.run(cancelled())
    if asks == "exit":
        sys.exit("as asked")
    raise KeyboardInterrupt


async def cancelled() -> None:
    """Ends as a task does that somebody has cancelled."""
    raise asyncio.CancelledError("as asked")
