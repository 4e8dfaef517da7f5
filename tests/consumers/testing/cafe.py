"""An application with a handler of each kind, for the kit's own tests."""

from __future__ import annotations

import asyncio

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Session

from oyez.consumers import HandlerAnnouncer, Handlers, Mail, NotReady, Reject, RetryAfter, Tool
from oyez.consumers.testing import Kit
from oyez.schemas import Catalogue, Event, Signal

signals = Catalogue()


class Opened(Signal, name="table.opened", key="guest", subject="table", catalogue=signals):
    table: str
    guest: str = "g1"


class Ordered(
    Signal, name="table.ordered", number=2, key="guest", requires={Opened: "table"}, catalogue=signals
):
    table: str
    guest: str = "g1"
    n: int = 0


class Cooked(Signal, name="dish.cooked", topic="kitchen", catalogue=signals):
    n: int


class Cleared(Signal, name="table.cleared", topic="floor", catalogue=signals):
    """Nobody listens to it."""

    table: str


class Rung(Signal, name="bell.rung", catalogue=signals):
    n: int = 0


tables = MetaData()
done = Table(
    "done",
    tables,
    Column("seq", Integer, primary_key=True),
    Column("handler", Text),
    Column("n", Integer),
    Column("source", Text),
)


class Notebook(Tool):
    """A tool of the application's own."""

    def note(self, n: int) -> None:
        self.db.execute(insert(done).values(handler=self.handler, n=n, source="tool"))


def note(db: Connection | Session, handler: str, n: int, source: str = "") -> None:
    db.execute(insert(done).values(handler=handler, n=n, source=source))


def noted(kit: Kit, handler: str) -> list[int]:
    """What a handler has done, in its order."""
    query = select(done.c.n).where(done.c.handler == handler).order_by(done.c.seq)
    return [n for (n,) in kit.query(query)]


on = Handlers("cafe", promises={"bell": "at-least-once", "bells": "at-least-once"})
rung: list[tuple[str, int]] = []
"""What handlers without a database have heard: each test empties it."""


@on(Opened)
def lay(opened: Opened, db: Session) -> None:
    note(db, "lay", int(opened.table))


@on(Ordered)
def take(order: Event[Ordered], db: Connection, announcer: HandlerAnnouncer, notebook: Notebook) -> None:
    note(db, "take", order.data.n, order.source)
    notebook.note(order.data.n)
    announcer.announce(Cooked(n=order.data.n))


@on(Ordered, group="many")
def count(orders: list[Ordered], db: Session) -> None:
    for order in orders:
        note(db, "count", order.n)


@on(Ordered, group="many", order="none")
def judge(order: Ordered, mail: Mail) -> None:
    match order.n:
        case 90:
            raise NotReady(Opened, "other")
        case 91:
            raise Reject("not on the menu")
        case 92:
            raise RetryAfter(600)
    mail.send(to="cook@cafe.example", subject=f"Order {order.n}", text="Please", html="<p>Please</p>")


@on(Cooked)
async def serve(cooked: Cooked, db: AsyncConnection) -> None:
    await asyncio.sleep(0)
    await db.execute(insert(done).values(handler="serve", n=cooked.n))


@on(Cooked, concurrency=3)
def wash(cooked: Cooked, db: Connection) -> None:
    note(db, "wash", cooked.n)


@on(Rung, group="bell")
def hear(bell: Rung) -> None:
    rung.append(("hear", bell.n))


@on(Rung, group="bells")
async def hum(bell: Rung) -> None:
    await asyncio.sleep(0)
    rung.append(("hum", bell.n))


@on(Rung, group="bells", concurrency=4)
def echo(bell: Rung) -> None:
    rung.append(("echo", bell.n))
