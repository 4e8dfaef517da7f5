"""The application that these tests run: sessions and page views, in groups of every kind."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    exists,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from oyez.consumers import Application, Handlers
from oyez.consumers.handlers.registry import Promise
from oyez.schemas import Catalogue, Event, Signal

known = Catalogue()


class Known(Signal, catalogue=known):
    """The base of these signals."""


class Started(Known, name="session.started", number=1, key="session_id", subject="session_id"):
    session_id: str


class Viewed(Known, name="page.viewed", number=3, key="session_id", requires={Started: "session_id"}):
    session_id: str
    n: int = 0


class Ticked(Known, name="ticked", number=7, key="k"):
    """For an application of its own, with one group and nothing to wait for."""

    k: str = "k"
    n: int = 0


class Priced(Known, name="price.changed"):
    """Nobody listens to this one."""

    n: int = 0


tables = MetaData()
sessions = Table(
    "shop_session",
    tables,
    Column("seq", Integer, primary_key=True),
    Column("session_id", Text, nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
)
views = Table(
    "shop_view",
    tables,
    Column("seq", Integer, primary_key=True),
    Column("handler", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("early", Integer, nullable=False),
)
trails = Table(
    "shop_trail",
    tables,
    Column("session_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("hash", Text, nullable=False),
)
ticks = Table(
    "shop_tick",
    tables,
    Column("seq", Integer, primary_key=True),
    Column("n", Integer, nullable=False),
)

_has_started = exists().where(sessions.c.session_id == bindparam("session_id")).select_from(sessions)
_view = insert(views).from_select(
    ["handler", "session_id", "source", "event_id", "early"],
    select(
        bindparam("handler", type_=Text),
        bindparam("session_id", type_=Text),
        bindparam("source", type_=Text),
        bindparam("event_id", type_=Text),
        literal(1) - _has_started.cast(Integer),
    ),
)


def chained(before: str, event_id: str) -> str:
    """A link of the chain that no loss, no double and no overtaking leaves as it is."""
    return sha256((before + event_id).encode()).hexdigest()


def start(event: Event[Started], db: Session) -> None:
    db.execute(
        insert(sessions).values(session_id=event.data.session_id, source=event.source, event_id=event.id)
    )


def trail(event: Event[Viewed], db: Session) -> None:
    where = (trails.c.session_id == event.data.session_id, trails.c.source == event.source)
    before = db.execute(select(trails.c.hash).where(*where)).scalar()
    after = chained(before or "", event.id)
    if before is None:
        new = {"session_id": event.data.session_id, "source": event.source, "hash": after}
        db.execute(insert(trails), [new])
    else:
        db.execute(update(trails).where(*where).values(hash=after))


def count(events: list[Event[Viewed]], db: Connection) -> None:
    db.execute(_view, [_row("count", event) for event in events])


def visit_start(event: Event[Started], db: Connection) -> None:
    row = _row("visit_start", event)
    db.execute(insert(views).values(**row, early=0))


def visit_view(event: Event[Viewed], db: Connection) -> None:
    db.execute(_view, [_row("visit_view", event)])


def audit(events: list[Event[Viewed]]) -> None:
    lines = "".join(f"{event.source} {event.id}\n" for event in events)
    with Path(os.environ["SHOP_AUDIT"]).open("a") as file:
        file.write(lines)


def tick(events: list[Event[Ticked]], db: Connection) -> None:
    db.execute(insert(ticks), [{"n": event.data.n} for event in events])


def _row(handler: str, event: Event[Started] | Event[Viewed]) -> dict[str, object]:
    return {
        "handler": handler,
        "session_id": event.data.session_id,
        "source": event.source,
        "event_id": event.id,
    }


def shop(app: str) -> Application:
    """The application, under a name of its own: its consumer groups are no other test's."""
    on = Handlers(app, promises={"audit": "at-least-once"})
    on(Started)(start)
    on(Viewed)(trail)
    on(Viewed, order="none")(count)
    on(Started, group="visits", completes=False)(visit_start)
    on(Viewed, group="visits")(visit_view)
    on(Viewed, group="audit", requires={}, order="none")(audit)
    return Application(on, known)


def ticker(app: str, promise: Promise = "exactly-once") -> Application:
    """An application of one group, `<app>.ticked`."""
    on = Handlers(app, promises={"ticked": promise})
    on(Ticked)(tick)
    return Application(on, known)
