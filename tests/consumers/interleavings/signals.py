"""Signals, handlers that do as a script says, and a table of what they did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Identity, Integer, MetaData, Table, Text, insert
from sqlalchemy.orm import Session

from oyez.consumers import Handlers
from oyez.consumers.core.record import Record
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Signal

TOPIC = "steps"


class SessionStarted(Signal, name="steps.session.started", key="session", subject="session"):
    session: str
    n: int = 0


class CartOpened(Signal, name="steps.cart.opened", key="cart", subject="cart"):
    cart: str
    n: int = 0


class PageViewed(Signal, name="steps.page.viewed", key="session", requires={SessionStarted: "session"}):
    session: str
    n: int = 0


class Bought(
    Signal,
    name="steps.bought",
    key="session",
    requires={SessionStarted: "session", CartOpened: "cart"},
):
    session: str
    cart: str | None
    n: int = 0


class Replied(
    Signal, name="steps.replied", key="thread", subject="reply", requires={"steps.replied": "parent"}
):
    thread: str = "t1"
    reply: str
    parent: str | None = None
    n: int = 0


class Joined(Signal, name="steps.joined", key="guest", requires={SessionStarted: "room"}):
    room: str
    guest: str
    n: int = 0


own = MetaData()
done = Table(
    "done",
    own,
    Column("seq", Integer, Identity(), primary_key=True),
    Column("handler", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("subject", Text),
    Column("key", Text, nullable=False),
    Column("n", Integer, nullable=False),
)
_note = insert(done)


def note(db: Session | Connection, handler: str, event: Any) -> None:
    """Record that a handler ran for an event, in its transaction."""
    declaration = event.__oyez__
    row = {
        "handler": handler,
        "signal": declaration.name,
        "subject": declaration.subject_of(event),
        "key": declaration.key_of(event),
        "n": event.n,
    }
    db.execute(_note, row)


class Script:
    """Handlers that note what they did, or raise what the script says."""

    def __init__(self, on: Handlers) -> None:
        self._on = on
        self._failing: dict[tuple[str, int], BaseException] = {}

    def handler(self, name: str, signal: type[Signal], *, database: bool = True, **options: Any) -> None:
        """Register a handler, with a database parameter or without; one without only raises."""

        def outside(event: Any) -> None:
            self._raise(name, event.n)

        def inside(event: Any, db: Connection) -> None:
            self._raise(name, event.n)
            note(db, name, event)

        function: Any = inside if database else outside
        function.__annotations__["event"] = signal
        self._on(signal, name=name, **options)(function)

    def fails(self, handler: str, n: int, error: BaseException | None = None) -> None:
        """From now on this handler raises ``error`` for event ``n``."""
        self._failing[handler, n] = error or RuntimeError(f"{handler} fails")

    def works(self, handler: str, n: int) -> None:
        """It does no longer."""
        del self._failing[handler, n]

    def _raise(self, handler: str, n: int) -> None:
        if (handler, n) in self._failing:
            raise self._failing[handler, n]


def announced(*events: Signal) -> list[Record]:
    """The records of a partition that holds these events, in order."""
    broker = MemoryBroker(partitions=1)
    announcer = Announcer(MemoryTransport(broker), source="web-1", topic=TOPIC)
    for event in events:
        announcer.announce(event)
    return list(broker.read(TOPIC, 0, 0, len(events)))
