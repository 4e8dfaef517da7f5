"""Signals and doubles that the tests of this folder share."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pydantic import AliasChoices, AliasPath, Field

from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Catalogue, Event, Signal, decode

known = Catalogue()


class Known(Signal, catalogue=known):
    """The base of these signals."""


class PageViewed(Known, name="page.viewed", number=3, key="session_id"):
    session_id: str
    url: str


class OrderPaid(Known, name="order.paid", key="order_id", subject="order_id", topic="orders"):
    order_id: int


class Replied(Known, name="replied", subject="post", requires={"replied": "parent"}):
    post: str
    parent: str | None = None


class Visited(Known, name="visited", key="session_id"):
    session_id: str = Field(validation_alias=AliasChoices("visit", AliasPath("session", "id")))


class Aliased(Known, name="aliased", key="session_id", validate_by_name=False):
    session_id: str = Field(alias="session")
    n: int


class Measured(Known, name="measured", key="session_id", strict=True):
    at: date
    lasted: timedelta
    proof: bytes
    paid: Decimal
    session_id: str


class Sealed(Known, name="sealed", key="token", subject="token"):
    token: bytes


class Blob(Known, name="blob", subject="of"):
    of: Any


class Noted(Known, name="noted", subject="about"):
    about: str | None


class Ticked(Known, name="ticked"):
    pass


def memory_announcer(**options: Any) -> tuple[Announcer, MemoryBroker]:
    """An announcer on a memory broker with one partition."""
    broker = MemoryBroker(partitions=1)
    said: dict[str, Any] = {"source": "web-1", "catalogue": known}
    return Announcer(MemoryTransport(broker), **(said | options)), broker


def events_in(broker: MemoryBroker, topic: str = "oyez.events") -> list[Event[Any]]:
    """What arrived in the topic's partition 0."""
    records = broker.read(topic, 0, 0, 1_000_000)
    return [decode(record.value(), record.headers(), record.key(), known) for record in records]


def value_at(broker: MemoryBroker, offset: int, topic: str = "oyez.events") -> bytes:
    """The bytes of one record of the topic's partition 0."""
    value = broker.read(topic, 0, offset, 1)[0].value()
    assert value is not None
    return value


class FailingTransport:
    """Takes everything, and says at the flush that nothing arrived."""

    def __init__(self, reason: str = "broken") -> None:
        self.reason = reason
        self.taken: list[bytes] = []
        self.closed = 0
        self._report: Callable[[bytes, str], None] = lambda _value, _reason: None

    def report_to(self, report: Callable[[bytes, str], None]) -> None:
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self.taken.append(value)

    def flush(self, timeout: float) -> None:
        while self.taken:
            self._report(self.taken.pop(0), self.reason)

    def close(self, timeout: float) -> None:
        self.closed += 1
        self.flush(timeout)
