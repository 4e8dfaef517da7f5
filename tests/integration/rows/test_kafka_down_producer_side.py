"""Kafka down, for those who announce: an error within the set time that carries the event; nothing is lost silently."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oyez.consumers.dev import Kafka
from oyez.producers import Announcer, NotAnnounced, Undelivered
from oyez.producers.kafka import link
from oyez.producers.kafka.transport import KafkaTransport
from oyez.schemas import Event, decode
from producers.kafka.test_transport import records
from producers.shop import PageViewed, known
from support.freezing import freeze
from support.services import make_topic, unique
from support.waiting import eventually

TIMEOUT = 2.0


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """A broker of our own, which we may stop."""
    with Kafka() as running:
        yield running


@pytest.fixture
def place(broker: Kafka) -> str:
    return make_topic(broker.bootstrap, unique("away"))


def announcer_to(address: str, topic: str, options: dict[str, Any] | None = None) -> Announcer:
    transport = KafkaTransport(address, options, announce_timeout=TIMEOUT, delivery_timeout=60)
    return Announcer(transport, source="web-1", topic=topic, catalogue=known, on_undelivered=lambda *_: None)


def view(n: int) -> PageViewed:
    return PageViewed(session_id="s1", url=f"/{n}")


class Watched:
    """librdkafka's producer; how long the announcing thread lets it wait is noted."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        producers.append(self)

    def __len__(self) -> int:
        return len(self._producer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def list_topics(self, topic: str, timeout: float) -> Any:
        return self._producer.list_topics(topic, timeout=_noted(timeout))

    def poll(self, timeout: float) -> Any:
        return self._producer.poll(_noted(timeout))

    def flush(self, timeout: float) -> Any:
        return self._producer.flush(_noted(timeout))


producers: list[Watched] = []
waits: list[float] = []


def _noted(timeout: float) -> float:
    if threading.current_thread() is threading.main_thread():
        waits.append(timeout)
    return timeout


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    producers.clear()
    make = link.make_producer
    monkeypatch.setattr(link, "make_producer", lambda config: Watched(make(config)))


def seconds(action: Callable[[], object]) -> float:
    """For how long an action may wait: the sum of the timeouts that it gives, whatever a busy machine adds."""
    waits.clear()
    action()
    return sum(waits)


def refused(announcer: Announcer, n: int) -> Event[Any]:
    """Announce until it is refused; the event that was."""
    with pytest.raises(NotAnnounced, match=r"the broker at 127.0.0.1:.* is away: ") as caught:
        announcer.announce(view(n))
    return caught.value.event


def arrived(broker: Kafka, topic: str, count: int) -> set[str]:
    found = records(broker.bootstrap, topic, count)
    return {decode(m.value(), m.headers(), m.key(), known).id for m in found}


def test_a_broker_that_was_never_there(broker: Kafka) -> None:
    announcer = announcer_to("127.0.0.1:1", "any")
    assert seconds(lambda: refused(announcer, 1)) < TIMEOUT + 1
    assert seconds(lambda: refused(announcer, 2)) < 0.2
    event = refused(announcer, 3)
    assert event.data == view(3)
    assert eventually(lambda: "Connection refused" in reason(announcer))
    assert announcer.announced == 0
    # Closing waits for what is under way, and that is nothing. An error that is still to be told counts for a moment.
    eventually(lambda: sum(map(len, producers)) == 0)
    announcer.close()


def reason(announcer: Announcer) -> str:
    with pytest.raises(NotAnnounced) as caught:
        announcer.announce(view(0))
    return caught.value.reason


def announce_if_taken(announcer: Announcer, n: int, ids: list[str]) -> bool:
    """Announce; whether it was taken."""
    try:
        ids.append(announcer.announce(view(n)))
    except NotAnnounced:
        return False
    return True


@pytest.mark.parametrize(("leave", "come_back"), [(Kafka.kill, Kafka.restart), (Kafka.freeze, Kafka.thaw)])
def test_a_broker_that_leaves_and_comes_back(
    broker: Kafka, place: str, leave: Callable[[Kafka], None], come_back: Callable[[Kafka], None]
) -> None:
    announcer = announcer_to(broker.bootstrap, place)
    ids = [announcer.announce(view(0))]
    announcer.flush()
    leave(broker)
    ids.append(announcer.announce(view(1)))
    eventually(lambda: not announce_if_taken(announcer, 2, ids))
    assert seconds(lambda: refused(announcer, 3)) < 0.2
    come_back(broker)
    eventually(lambda: announce_if_taken(announcer, 4, ids))
    announcer.close()
    assert announcer.undelivered == 0
    assert arrived(broker, place, len(ids)) == set(ids)


def test_a_flush_ends_in_time_and_lists_what_did_not_arrive(broker: Kafka, place: str) -> None:
    announcer = announcer_to(broker.bootstrap, place)
    announcer.announce(view(0))
    announcer.flush()
    freeze(broker)
    try:
        lost = [announcer.announce(view(n)) for n in range(1, 4)]
        with pytest.raises(Undelivered, match=r"3 announced .*: not acknowledged within") as caught:
            seconds(lambda: announcer.flush(0.5))
        assert 0.5 <= sum(waits) < 3
    finally:
        broker.thaw()
    assert [event.id for event in caught.value.events] == lost
    eventually(lambda: announce_if_taken(announcer, 4, []))
    announcer.close()


def test_a_full_queue_holds_the_caller_no_longer_than_it_may(broker: Kafka, place: str) -> None:
    announcer = announcer_to(broker.bootstrap, place, {"queue.buffering.max.messages": 10})
    announcer.announce(view(0))
    announcer.flush()
    freeze(broker)
    try:
        for n in range(1, 11):
            announcer.announce(view(n))
        with pytest.raises(NotAnnounced, match=r"the queue is full|is away"):
            seconds(lambda: announcer.announce(view(11)))
        assert sum(waits) < TIMEOUT + 1
    finally:
        broker.thaw()
    announcer.close(30)
    assert announcer.undelivered == 0
    assert len(arrived(broker, place, announcer.announced)) == 11
