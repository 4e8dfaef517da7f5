"""Handing kept events over: how many of the first have arrived, whatever fails and however."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from oyez.producers import MemoryBroker, MemoryTransport, TransportRefused
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.shipping import Outgoing, Shipped, Shipper
from oyez.producers.transport import Lasting
from producers.kafka.test_transport import records


def outgoing(count: int, topic: str = "t") -> list[Outgoing]:
    return [Outgoing(topic, b"k", b"event %d" % n) for n in range(count)]


class FakeTransport:
    """MOCK: refuses some, and loses others, which it tells when it is flushed."""

    def __init__(self, refused: int | None = None, lost: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        self.refused, self.lost = refused, lost
        self.sent: list[bytes] = []
        self._report: Callable[[bytes, str], None] = lambda value, reason: None

    def report_to(self, report: Callable[[bytes, str], None]) -> None:
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        if len(self.sent) == self.refused:
            raise TransportRefused("no room")
        self.sent.append(value)

    def flush(self, timeout: float) -> None:
        for n in sorted(self.lost, reverse=True):
            if n < len(self.sent):
                self._report(self.sent[n], "lost")

    def close(self, timeout: float) -> None:
        """Nothing to do."""


@given(
    st.integers(0, 12),
    st.one_of(st.none(), st.integers(0, 12)),
    st.frozensets(st.integers(0, 12), max_size=4),
)
def test_the_first_that_has_not_arrived_ends_the_count(
    count: int, refused: int | None, lost: frozenset[int]
) -> None:
    shipped = Shipper(FakeTransport(refused, set(lost))).ship(outgoing(count), 1)
    sent = count if refused is None else min(count, refused)
    missing = [n for n in lost if n < sent]
    assert shipped.count == min(missing, default=sent)
    assert (shipped.reason is None) == (shipped.count == count)


def test_a_failure_is_not_remembered_for_the_next_time() -> None:
    transport = FakeTransport(lost={0})
    shipper = Shipper(transport)
    assert shipper.ship(outgoing(2), 1) == Shipped(0, "lost")
    transport.lost.clear()
    assert shipper.ship(outgoing(2), 1) == Shipped(2)


def test_a_transport_that_never_fails_later() -> None:
    broker = MemoryBroker(1)
    assert Shipper(MemoryTransport(broker)).ship(outgoing(3), 1) == Shipped(3)
    assert [record.value() for record in broker.read("t", 0, 0, 9)] == [b"event 0", b"event 1", b"event 2"]


def test_on_kafka_what_is_too_large_for_ever_is_told_from_the_rest(kafka: str, topic: str) -> None:
    shipper = Shipper(KafkaTransport(kafka))
    events = outgoing(3, topic)
    large = Outgoing(topic, b"k", b"x" * 2_000_000)
    shipped = shipper.ship([events[0], large, *events[1:]], 10)
    assert shipped.count == 1
    assert shipped.is_refused
    assert isinstance(shipped.reason, Lasting)
    assert shipper.ship(events[1:], 10) == Shipped(2)
    shipper.close(5)
    assert [m.value() for m in records(kafka, topic, 3)] == [event.value for event in events]


def test_a_broker_that_is_away_refuses_nothing_for_ever() -> None:
    shipper = Shipper(KafkaTransport("127.0.0.1:1", announce_timeout=0.3))
    shipped = shipper.ship(outgoing(3), 1)
    assert shipped.count == 0
    assert shipped.reason
    assert "is away" in shipped.reason
    assert not shipped.is_refused
    shipper.close(1)
