"""A client that dies of a fatal error reports each event that it had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message

from oyez.producers.kafka.config import producer_config
from oyez.producers.kafka.failover import FailoverTransport, Outlet
from oyez.producers.kafka.link import make_producer
from oyez.producers.kafka.served import Served
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.ordered_sender import OrderedSender, Outgoing, WholeOrder
from oyez.producers.spool import Writer
from producers.kafka.dying import MOCK, asking_nothing, die
from producers.kafka.failover.failover_pipeline import Quiet
from producers.kafka.failover.fakes import event

EVENTS = [event("a", n) for n in range(5)]
CONFIG = producer_config("mock", MOCK, 30.0)
TIMEOUT = 10.0


@pytest.mark.parametrize(
    "end", [lambda client: client.wait(TIMEOUT), Served.recall], ids=["waited for", "recalled"]
)
def test_each_event_is_reported(end: Callable[[Served], None]) -> None:
    reported: list[bytes] = []

    def report(_error: KafkaError, message: Message) -> None:
        # A call by way of a tuple is looked at by the interpreter, however often it was made: an error that is set
        # beforehand ends it.
        reported.append(bytes(*[message.value()]))

    client = Served(make_producer({**CONFIG, "on_delivery": report}))
    for value in EVENTS:
        client.producer.produce("t", value)
    die(client.producer)
    end(client)
    assert sorted(reported) == sorted(EVENTS)
    assert client.is_dead


def test_a_failover_spools_each_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    transport = FailoverTransport(
        lambda _topics: Outlet(CONFIG, TIMEOUT),
        tmp_path,
        lambda path, topic: Writer(path, topic, fsync="never"),
        Quiet(),
    )
    for value in EVENTS:
        transport.send("t", b"a", value)
    assert transport._outlet is not None
    die(transport._outlet.producer)
    transport.flush(TIMEOUT)
    transport.close(TIMEOUT)
    spooled = [line for file in (tmp_path / "t").glob("*.ndjson") for line in file.read_bytes().split(b"\n")]
    assert spooled == [*EVENTS, b""]
    assert any(one.name == "oyez.kafka" and "fenced" in one.getMessage() for one in caplog.records)


def test_the_plain_transport_reports_each_event() -> None:
    reported: list[tuple[bytes, str]] = []
    transport = asking_nothing(KafkaTransport("mock", MOCK, announce_timeout=TIMEOUT))
    transport.report_to(lambda value, why: reported.append((bytes(*[value]), why)))
    for value in EVENTS:
        transport.send("t", b"a", value)
    die(*(link.producer for link in transport._links.values()))
    transport.close(TIMEOUT)
    assert sorted(value for value, _ in reported) == sorted(EVENTS)
    assert {"its client has died" in why and "fenced" in why for _, why in reported} == {True}


def test_what_is_kept_elsewhere_has_not_arrived() -> None:
    transport = asking_nothing(KafkaTransport("mock", MOCK, announce_timeout=TIMEOUT))
    flush = transport.flush

    def died(timeout: float) -> None:
        die(*(link.producer for link in transport._links.values()))
        flush(timeout)

    transport.flush = died  # type: ignore[method-assign]
    sender = OrderedSender(transport)
    sent = sender.send([Outgoing("t", b"a", value) for value in EVENTS], WholeOrder(), TIMEOUT)
    sender.close(0.0)
    assert sent.arrived == []
    assert sorted(sent.failed) == [0, 1, 2, 3, 4]
