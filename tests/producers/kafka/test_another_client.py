"""A client that has died of a fatal error is replaced, and what it had is told before another one sends anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from oyez.producers import TransportRefused
from oyez.producers.kafka import link
from oyez.producers.kafka.acked import AckedTransport
from oyez.producers.kafka.link import Link
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.ordered_sender import KeyOrder, OrderedSender, Outgoing, Sent
from oyez.producers.spool import Writer
from oyez.producers.spool_shipping import SpoolShipper
from producers.kafka.dying import MOCK, asking_nothing, die
from producers.kafka.failover.fakes import event
from support.waiting import eventually

TIMEOUT = 30.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client that died still says is waited for."""
    monkeypatch.setattr(link, "_LAST_WORDS", 30.0)


EVENTS = [event("a", n) for n in range(4)]


class Replaced(KafkaTransport):
    """The plain transport on mock clusters, one for each client, with what it tells."""

    def __init__(self) -> None:
        super().__init__("mock", MOCK, announce_timeout=TIMEOUT)
        asking_nothing(self)
        self.told: list[bytes] = []
        self.report_to(lambda value, _why: self.told.append(value))

    @property
    def link(self) -> Link:
        return self._links["t"]

    def announce(self, value: bytes) -> None:
        self.send("t", b"a", value)

    def die(self) -> None:
        die(self.link.producer)


@pytest.fixture
def transport() -> Iterator[Replaced]:
    made = Replaced()
    yield made
    made.close(TIMEOUT)


def test_an_event_is_refused_and_the_next_goes_by_another_client(transport: Replaced) -> None:
    transport.announce(EVENTS[0])
    transport.flush(TIMEOUT)
    transport.announce(EVENTS[1])
    transport.die()
    with pytest.raises(TransportRefused, match=r"its client has died: .*; the next event gets another one"):
        transport.announce(EVENTS[2])
    assert transport.told == [EVENTS[1]], "before anything is sent by another"
    transport.announce(EVENTS[3])
    transport.flush(TIMEOUT)
    assert transport.link.away is None
    assert transport.told == [EVENTS[1]]


def test_nothing_is_refused_after_a_flush(transport: Replaced) -> None:
    transport.announce(EVENTS[0])
    transport.die()
    transport.flush(TIMEOUT)
    assert transport.told == [EVENTS[0]]
    transport.announce(EVENTS[1])
    transport.flush(TIMEOUT)
    assert transport.told == [EVENTS[0]]


def test_the_watch_notices_and_does_not_call_the_broker_back(transport: Replaced) -> None:
    transport.announce(EVENTS[0])
    link = transport.link
    transport.die()
    eventually(lambda: link.away is not None)
    link.look()
    assert link.away is not None
    assert link.is_dead


def test_who_is_told_and_announces_waits_for_nobody() -> None:
    transport = Replaced()
    refused: list[str] = []

    def told(_value: bytes, _why: str) -> None:
        with pytest.raises(TransportRefused) as caught:
            transport.announce(EVENTS[3])
        refused.append(str(caught.value))

    transport.report_to(told)
    transport.announce(EVENTS[0])
    transport.announce(EVENTS[1])
    transport.die()
    with pytest.raises(TransportRefused):
        transport.announce(EVENTS[2])
    assert len(refused) == 2
    transport.report_to(lambda _value, _why: None)
    transport.announce(EVENTS[3])
    transport.close(TIMEOUT)


def test_a_client_that_dies_while_its_queue_is_full(transport: Replaced) -> None:
    transport.announce(EVENTS[0])
    link = transport.link

    def full(*_: object, **__: object) -> None:
        link.produce = fatal
        raise BufferError

    def fatal(*_: object, **__: object) -> None:
        raise KafkaException(KafkaError(KafkaError._FATAL, "there was a gap", fatal=True))

    link.produce = full
    with pytest.raises(TransportRefused, match="its client has died: there was a gap"):
        transport.announce(EVENTS[1])
    assert transport.told == [EVENTS[0]]
    transport.announce(EVENTS[2])
    transport.flush(TIMEOUT)
    assert transport.told == [EVENTS[0]]


def test_acknowledged_announcing_goes_on() -> None:
    transport = asking_nothing(AckedTransport("mock", {"test.mock.num.brokers": 1}, announce_timeout=TIMEOUT))
    transport.send("t", b"a", EVENTS[0])
    die(transport._links["t"].producer)
    with pytest.raises(TransportRefused, match="its client has died"):
        transport.send("t", b"a", EVENTS[1])
    transport.send("t", b"a", EVENTS[2])
    transport.close(TIMEOUT)


def test_an_event_of_a_lost_ones_key_is_held_up(transport: Replaced) -> None:
    """Though another client would take it."""
    sender = OrderedSender(transport)
    events = [
        Outgoing("t", key, event(key.decode(), n)) for n, key in enumerate([b"a", b"b", b"a", b"b", b"c"])
    ]

    def send(topic: str, key: bytes | None, value: bytes, how: Any = transport.send) -> None:
        if value == events[2].value:
            transport.die()
        how(topic, key, value)

    transport.send = send  # type: ignore[method-assign]
    sent = sender.send(events, KeyOrder(), TIMEOUT)
    assert sent == Sent([4], {n: sent.failed[n] for n in (0, 1, 2)})


def test_shipping_goes_on(tmp_path: Path) -> None:
    transport = Replaced()
    writer = Writer(tmp_path / "t", "t", fsync="never")
    shipper = SpoolShipper([tmp_path], "t", lambda: OrderedSender(transport))
    writer.append_all([EVENTS[0]])
    assert shipper.run(lambda: False).shipped == 1
    transport.die()
    writer.append_all(EVENTS[1:])
    shipped, end = 0, time.monotonic() + TIMEOUT
    while shipped < 3 and time.monotonic() < end:
        shipped += shipper.run(lambda: False).shipped
    assert shipped == 3
    shipper.close(TIMEOUT)
    writer.close()
