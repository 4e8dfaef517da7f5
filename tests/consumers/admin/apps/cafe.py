"""A café whose waiter can be broken in three ways."""

from __future__ import annotations

from sqlalchemy import Connection, text

from oyez.consumers import Handlers, NotReady, Reject
from oyez.schemas import Signal


class Seated(Signal, name="cafe.seated", key="table", subject="table"):
    table: str
    n: int = 0


class Ordered(Signal, name="cafe.ordered", key="table"):
    table: str
    n: int


class Paid(Signal, name="cafe.paid", key="table", requires={Seated: "table"}):
    table: str
    n: int = 0


on = Handlers("cafe")
broken: set[str] = set()
"""What is broken now: "price", "menu", "table", "door"."""
_WAYS = {0: "price", 2: "menu", 4: "table"}


@on(Seated)
def seat(event: Seated, db: Connection) -> None:
    print("seated")  # may not get into what a command prints as data
    if "door" in broken:
        raise Reject("the door is locked")
    note(db, "seat", event.n)


@on(Ordered)
def serve(event: Ordered, db: Connection) -> None:
    way = _WAYS.get(event.n % 6)
    if way in broken:
        fail(way, event)
    note(db, "serve", event.n)


@on(Paid)
def thank(event: Paid, db: Connection) -> None:
    note(db, "thank", event.n)


def fail(way: str | None, event: Ordered) -> None:
    match way:
        case "price":
            raise KeyError("price")
        case "menu":
            raise Reject("it is not on the menu")
        case "table":
            raise NotReady(Seated, f"table {event.n}")


def note(db: Connection, handler: str, n: int) -> None:
    db.execute(text("INSERT INTO effect (handler, n) VALUES (:handler, :n)"), {"handler": handler, "n": n})
