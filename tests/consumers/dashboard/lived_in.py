"""A shop that has been at work for three hours: something of all that the dashboard shows is there."""

from __future__ import annotations

import math
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, update
from starlette.applications import Starlette
from uuid_utils import uuid7

from consumers.mail.mail_queue import rows_of
from consumers.pipeline import TOPIC, Pipeline, prepare
from oyez.consumers import Application, Handlers, Reject
from oyez.consumers.dashboard.serving import served, server
from oyez.consumers.dashboard.settings import DashboardSettings
from oyez.consumers.database import pauses
from oyez.consumers.database.mails import STATES as MAIL_STATES
from oyez.consumers.database.pauses import Scope
from oyez.consumers.database.sample_table import sample
from oyez.consumers.database.tables import dead, mail, outbox, parked, position
from oyez.producers import Announcer, MemoryTransport
from oyez.producers.collector import listening
from oyez.schemas import Catalogue, Signal
from producers.collector.running import serving
from support.pages import ROOT

SIGNALS = Catalogue()
HOURS = 3


class SessionStarted(Signal, name="session.started", key="session", subject="session", catalogue=SIGNALS):
    """A visitor has come."""

    session: str
    agent: str = "Firefox"


class PageViewed(
    Signal, name="page.viewed", key="session", requires={SessionStarted: "session"}, catalogue=SIGNALS
):
    """A page was looked at."""

    session: str
    path: str


class OrderPlaced(
    Signal,
    name="order.placed",
    key="session",
    subject="order",
    requires={SessionStarted: "session"},
    catalogue=SIGNALS,
):
    """Somebody has ordered."""

    session: str
    order: int
    article: str


on = Handlers("shop")


@on(SessionStarted, group="visits")
def greet(_event: SessionStarted) -> None:
    """All is well here."""


@on(PageViewed, group="visits")
def count(_event: PageViewed) -> None:
    """And here."""


@on(OrderPlaced)
def bill(event: OrderPlaced) -> None:
    """Some articles have no price."""
    if event.article == "lamp":
        raise KeyError("no price for lamp")
    if event.article == "gift card":
        raise Reject("gift cards are billed by hand")


@on(OrderPlaced)
def pack(event: OrderPlaced) -> None:
    """The store is away now and then."""
    if event.article == "chair":
        raise TimeoutError("the store at stock.internal:8443 does not answer <within> 5 s")


def lived_in(url: str, seed: int = 1) -> Pipeline:
    """Let the shop live on a database without tables. The pipeline has workers, who are at rest."""
    prepare(url)
    dice = random.Random(seed)
    pipeline = Pipeline(url, on, signals=SIGNALS, journal="all")
    clock = pipeline.clock
    clock.now = time.time() - 3600 * HOURS
    pipeline.announcer.close()
    pipeline.announcer = Announcer(
        MemoryTransport(pipeline.broker),
        source="web-1",
        topic=TOPIC,
        catalogue=SIGNALS,
        clock=lambda: int(clock.now * 1e9),
        new_id=lambda: str(uuid7(nanoseconds=int(clock.now * 1e9))),  # an id says when it was made
    )
    for hour in range(HOURS):
        sessions = [f"session-{hour}{n:02}" for n in range(20)]
        pipeline.handle(*(SessionStarted(session=session) for session in sessions[4:]))  # four come too late
        views = [PageViewed(session=session, path=f"/{dice.choice('abc')}") for session in sessions]
        articles = ["book", "book", "book", "lamp", "chair", "gift card"]
        orders = [
            OrderPlaced(session=session, order=100 * hour + n, article=dice.choice(articles))
            for n, session in enumerate(sessions)
        ]
        pipeline.handle(*views, *orders)
        pipeline.later(3000.0)
    _note_samples(pipeline)
    _queue(pipeline)
    _pause(pipeline)
    _name_workers(pipeline)
    return pipeline


def _queue(pipeline: Pipeline) -> None:
    """Mails in every state, and events in the outbox of which some were refused."""
    now = time.time()
    errors = {"failed": "550 no such user", "unsure": "the connection was lost after the end of the mail"}
    with pipeline.engine.begin() as db:
        for n, state in enumerate(MAIL_STATES):
            said = {"state": state, "error": errors.get(state), "attempts": 1 if state in errors else 0}
            db.execute(insert(mail), rows_of(range(3 * n, 3 * n + 3), now - 600.0 * n, **said))
        waiting = {"topic": TOPIC, "key": "session-007", "value": b"{}", "announced_at": now - 30.0}
        refused = {"announced_at": now - 900.0, "refused": "message of 2 MB is too large"}
        db.execute(insert(outbox), [{**waiting, "refused": None}, {**waiting, **refused}])


def _pause(pipeline: Pipeline) -> None:
    """One key stands still."""
    with pipeline.engine.begin() as db:
        pauses.begin(
            db, on.app, Scope(key="session-007"), "ada", "a customer has called", time.time() - 900.0
        )


def _name_workers(pipeline: Pipeline) -> None:
    """As if it ran on servers with names."""
    with pipeline.engine.begin() as db:
        db.execute(update(position).values(owner="worker-1/4711"))
        for table in (parked, dead):
            db.execute(update(table).values(error=func.replace(table.c.error, str(ROOT), "/srv")))


def _note_samples(pipeline: Pipeline) -> None:
    """A sample of each minute, with a rise and a gap."""
    now = int(time.time() // 60)
    rows = [
        {
            "minute": now - ago,
            "group_name": group,
            "handled": int(900 + 600 * math.sin(ago / 25)),
            "failed": 40 if 60 < ago < 80 else 2,
            "lag": 400 if 60 < ago < 90 else 12,
            "parked": max(0, 90 - ago),
            "oldest_wait": 60.0 * max(0, 90 - ago),
            "dead": max(0, (170 - ago) // 12),
        }
        for group in pipeline.application.groups
        for ago in range(60 * HOURS)
        if ago not in range(110, 118)
    ]
    with pipeline.engine.begin() as db:
        db.execute(delete(sample))  # workers have noted some of their own
        db.execute(insert(sample), rows)


@contextmanager
def shown(url: str) -> Iterator[str]:
    """The address of a dashboard of the shop that may act, until the end of the block."""
    kept: dict[str, Any] = {"database": url, "topic": TOPIC, "transport": "memory", "journal": "all"}
    said = DashboardSettings(**kept, source="web-1", dashboard_port=0)
    app: Starlette = served(Application(on, SIGNALS), said, acts=True)
    with listening("127.0.0.1", 0) as taken, serving(server(app, said), taken):
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def lived_in_and_shown(folder: Path) -> Iterator[str]:
    """Both, on SQLite, named relative to the working directory: the pages show it."""
    with shown(_url(lived_in_file(folder))) as address:
        yield address


def lived_in_file(folder: Path) -> Path:
    """The shop's database in a folder; its workers have gone home."""
    file = folder / "shop.db"
    lived_in(_url(file)).close()
    return file


@contextmanager
def copied_and_shown(file: Path) -> Iterator[str]:
    """A copy of it, to do something with."""
    with tempfile.TemporaryDirectory() as folder, shown(_url(Path(shutil.copy(file, folder)))) as address:
        yield address


def _url(file: Path) -> str:
    return f"sqlite:///{os.path.relpath(file)}"
