"""Pipelines whose application is announced to inline, and chains of events that wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from consumers.pipeline import Clock, Known, Opened, Pipeline, Placed, effects, known, note
from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.database import make_engine
from oyez.consumers.inline.transport import InlineTransport
from oyez.consumers.run.assembly import retrying_for_group
from oyez.consumers.run.group_order import in_order
from oyez.producers import Announcer
from oyez.schemas import Signal
from support.tables import knowing_the_tables


class Closed(Known, name="closed.inline", key="k", subject="s", requires={"viewed.inline": "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Seen(Known, name="viewed.inline", key="k", subject="s", requires={Opened: "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Replied(Known, name="reply.inline", key="k", subject="s", requires={"reply.inline": "parent"}):
    k: str = "k1"
    s: str
    parent: str | None = None
    n: int = 0


class Inline(Pipeline):
    """An application announced to inline."""

    def __init__(self, url: str, on: Handlers, engine: Engine | None = None, **said: Any) -> None:
        self.url = url
        self.clock = Clock()
        self.engine = knowing_the_tables(engine or make_engine(url))
        self.application = Application(on, known)
        self.settings = ListenSettings(**({"max_attempts": 5} | said))
        self.workers = {}
        self.transport = InlineTransport(self.application, self.engine, self.settings, clock=self.clock)
        self.announcer = Announcer(self.transport, source="web", catalogue=known)

    def sweep(self, seconds: float = 10_000.0) -> None:
        self.clock.now += seconds
        for group in in_order(self.application):
            table = retrying_for_group(group, self.settings, self.engine, self.clock)
            table.sweep(lambda _report: None)


Make = Callable[..., Inline]


def doing(on: Handlers, signal: type[Signal], name: str | None = None, **options: Any) -> None:
    """A handler that leaves an effect under its signal's name."""
    name = name or signal.__name__.lower()

    def handle(event: Any, db: Session) -> None:
        note(db, name, event.n)

    on(signal, name=name, **options)(handle)


def names(pipeline: Pipeline) -> list[str]:
    with pipeline.engine.connect() as db:
        return list(db.execute(effects.select().order_by(effects.c.seq)).scalars("handler"))


def chain(group: str | None = None) -> Handlers:
    on = Handlers("shop")
    for signal in (Opened, Seen, Closed, Placed):
        doing(on, signal, group=group)
    return on
