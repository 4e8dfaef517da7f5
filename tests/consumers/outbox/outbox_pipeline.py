"""An outbox to be relayed: an application that announces into it, and transports that arrive, fail or die."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Engine, select

from consumers.pipeline import Known, known
from oyez.consumers.database import Database, make_engine
from oyez.consumers.database.connection import HandlerConnection
from oyez.consumers.database.tables import outbox, relay_lease
from oyez.consumers.outbox.lease import Lease, NoLease, RowLease
from oyez.consumers.outbox.relay import Relay
from oyez.producers import Announcer, MemoryBroker, MemoryTransport, Transport, TransportRefused
from oyez.producers.transport import Lasting

TOPIC = "sea"


class Sailed(Known, name="sailed", key="k"):
    k: str | None = "k1"
    n: int = 0


class Died(BaseException):
    """A process ends here, at once."""


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self, _db: object = None) -> float:
        return self.now


class OutboxPipeline:
    """One outbox, and the log that it is shipped into."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = make_engine(url)
        self.broker = MemoryBroker(partitions=1)
        self.clock = Watch()
        self._announcer = Announcer(
            MemoryTransport(MemoryBroker()), source="web", topic=TOPIC, catalogue=known
        )

    def announce(self, *events: Sailed) -> None:
        """All of them in one transaction."""

        def announce_in(db: HandlerConnection) -> None:
            for event in events:
                self._announcer.announce(event, db=db)

        Database(self.engine).repeat(announce_in)  # the relay may be writing

    def relay(self, transport: Transport | None = None, lease: Lease | None = None, **said: Any) -> Relay:
        """One that has this transport to itself, MemoryTransport unless it is given."""
        sent_by: Transport = transport or MemoryTransport(self.broker)
        return Relay(
            Database(self.engine),
            lambda: sent_by,
            lease or NoLease(),
            **({"clock": self.clock, "timer": self.clock} | said),
        )

    def lease(self, owner: str) -> RowLease:
        return RowLease(Database(self.engine), owner, self.clock, self.clock)

    def arrived(self) -> list[int]:
        """The numbers of what arrived, in order, repeats as well."""
        records = self.broker.read(TOPIC, 0, 0, 1_000_000)
        return [json.loads(record.value() or b"")["data"]["n"] for record in records]

    def left(self) -> list[int]:
        """The numbers of what is in the outbox."""
        with self.engine.connect() as db:
            values = db.execute(select(outbox.c.value).order_by(outbox.c.id)).scalars()
            return [json.loads(value)["data"]["n"] for value in values]

    def note(self) -> Any:
        """The row of who ships."""
        with self.engine.connect() as db:
            return db.execute(select(relay_lease)).one_or_none()

    def close(self) -> None:
        self._announcer.close()
        self.engine.dispose()


class Rough:
    """Sends into a broker what ``does`` lets through: it may refuse, die, or report it as failed at the flush."""

    def __init__(self, broker: MemoryBroker, does: Callable[[int], str | None] = lambda _n: None) -> None:
        self._broker = broker
        self.does = does
        self._taken: list[tuple[str, bytes | None, bytes]] = []
        self._report: Callable[[bytes, str], None] = lambda _value, _reason: None
        self.sends: list[int] = []
        self.flushes: list[float] = []

    def report_to(self, report: Callable[[bytes, str], None]) -> None:
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        n = n_of(value)
        self.sends.append(n)
        match self.does(n):
            case "refuse":
                raise TransportRefused(f"{n} is refused")
            case "lasting":
                raise TransportRefused(Lasting(f"{n} is too large"))
            case "die":
                raise Died
            case "fail":
                self._taken.append((topic, key, b"failed " + value))
            case _:
                self._taken.append((topic, key, value))

    def flush(self, timeout: float) -> None:
        self.flushes.append(timeout)
        for topic, key, value in self._taken:
            if value.startswith(b"failed "):
                self._report(value.removeprefix(b"failed "), "it failed")
            elif any(self.does(n_of(one)) == "spoil" for _, _, one in self._taken):
                self._report(value, Lasting("the whole lot is too large"))
            else:
                self._broker.append(topic, key, value)
        self._taken.clear()

    def close(self, timeout: float) -> None:
        self.flush(timeout)


def n_of(value: bytes) -> int:
    """The number of an event."""
    number: int = json.loads(value.removeprefix(b"failed "))["data"]["n"]
    return number


def firsts(numbers: Iterable[int]) -> list[int]:
    """What is left when an inbox has dropped the repeats."""
    return list(dict.fromkeys(numbers))
