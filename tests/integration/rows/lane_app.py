"""The application of tests of lanes, for `oyez listen --app integration.rows.lane_app:on`: one handler in threads, one
in tasks. Events say what goes wrong with them the first time; the second time nothing does.

ROWS_APP is its name, ROWS_FOLDER where it notes what was tried. While the file `hold` is there, handlers wait; each
that does leaves a file `inside-<handler>-<n>`.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from integration.rows.scripted_app import effects
from oyez.consumers import Backoff, Handlers, NotReady
from oyez.schemas import Signal

APP = os.environ.get("ROWS_APP", "lanes")
FOLDER = Path(os.environ.get("ROWS_FOLDER", "."))
LANES = 25
LIMIT = float(os.environ.get("ROWS_LIMIT", "5"))  # s
FOR_EVER = 3_600.0  # s
SOON = Backoff(first=0.2, longest=1.0, attempts=1_000)


class Moved(Signal, name="rows.moved", key="k"):
    """``asks``: fail, hang, later (not ready), or nothing."""

    k: str
    n: int
    asks: str = ""


on = Handlers(APP)


@on(Moved, group="threads", concurrency=LANES, timeout=LIMIT, retry=SOON)
def thread(event: Moved, db: Session) -> None:
    db.execute(insert(effects).values(handler="thread", k=event.k, n=event.n))
    if is_held("thread", event):
        while (FOLDER / "hold").exists():
            time.sleep(0.02)
    if is_first("thread", event) and misbehaves(event):
        time.sleep(FOR_EVER)


@on(Moved, group="tasks", concurrency=LANES, timeout=LIMIT, retry=SOON)
async def task(event: Moved, db: AsyncSession) -> None:
    await db.execute(insert(effects).values(handler="task", k=event.k, n=event.n))
    if is_held("task", event):
        while (FOLDER / "hold").exists():
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.002)
    if is_first("task", event) and misbehaves(event):
        await asyncio.sleep(FOR_EVER)


def is_held(handler: str, event: Moved) -> bool:
    if not (FOLDER / "hold").exists():
        return False
    (FOLDER / f"inside-{handler}-{event.n}").touch()
    return True


def is_first(handler: str, event: Moved) -> bool:
    """Whether an event that asks for something is tried for the first time."""
    if not event.asks:
        return False
    try:
        (FOLDER / f"tried-{handler}-{event.n}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def misbehaves(event: Moved) -> bool:
    """Fails as asked; whether it is to hang instead."""
    if event.asks == "fail":
        raise ValueError("as asked")
    if event.asks == "later":
        raise NotReady
    return event.asks == "hang"
