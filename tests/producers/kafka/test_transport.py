"""The kafka transport against a real broker."""

import gc
import os
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Message

from oyez.producers import Announcer, NotAnnounced, SettingsError, Undelivered
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.partitioning import partition_of
from oyez.schemas import decode
from producers.shop import PageViewed, Ticked, known
from support.waiting import eventually


@pytest.fixture
def announcer(kafka: str, topic: str) -> Iterator[Announcer]:
    with Announcer(KafkaTransport(kafka), source="web-1", topic=topic, catalogue=known) as made:
        yield made


def records(kafka: str, topic: str, count: int) -> list[Message]:
    """The topic's records, once there are `count` of them."""
    found: list[Message] = []
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])

    def read() -> bool:
        found.extend(consumer.consume(1000, 0.2))
        return len(found) >= count

    eventually(read)
    consumer.close()
    assert [message.error() for message in found] == [None] * count
    return found


def test_what_arrives_is_the_event_keyed_and_marked(kafka: str, topic: str, announcer: Announcer) -> None:
    keys = ["s1", "s2", "büro\n", 'a "b"']
    ids = [announcer.announce(PageViewed(session_id=key, url="/"), key=key) for key in keys]
    announcer.flush()
    found = {decode(m.value(), m.headers(), m.key(), known).id: m for m in records(kafka, topic, 4)}
    for key, event_id in zip(keys, ids, strict=True):
        message = found[event_id]
        assert message.key() == key.encode()
        assert message.headers() == [("content-type", b"application/cloudevents+json")]
        assert message.partition() == partition_of(key.encode(), 4)


def test_keyless_events_are_spread(kafka: str, topic: str, announcer: Announcer) -> None:
    for _ in range(20):  # the client keeps to one partition for some milliseconds
        for _ in range(250):
            announcer.announce(Ticked())
        announcer.flush()
    assert announcer.undelivered == 0
    found = records(kafka, topic, 5000)
    assert {message.key() for message in found} == {None}
    assert len({message.partition() for message in found}) > 1


def test_many_threads(kafka: str, topic: str, announcer: Announcer) -> None:
    threads = [threading.Thread(target=_announce_many, args=(announcer, f"s{n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    announcer.flush()
    found = [decode(m.value(), m.headers(), m.key(), known) for m in records(kafka, topic, 1800)]
    for n in range(6):
        assert [e.data.url for e in found if e.key == f"s{n}"] == [f"/{i}" for i in range(300)]


def _announce_many(announcer: Announcer, session: str) -> None:
    for n in range(300):
        announcer.announce(PageViewed(session_id=session, url=f"/{n}"))


def test_an_event_of_10_mb_is_refused_at_once_with_the_limit(announcer: Announcer) -> None:
    with pytest.raises(
        NotAnnounced, match=r"it has 10000\d+ bytes, 1000000 are allowed: make it smaller, or"
    ) as caught:
        announcer.announce(PageViewed(session_id="s1", url="x" * 10_000_000))
    assert len(caught.value.event.data.url) == 10_000_000
    announcer.announce(PageViewed(session_id="s1", url="/"))


def test_what_only_the_broker_refuses_is_raised_by_flush(kafka: str, topic: str) -> None:
    transport = KafkaTransport(kafka, {"message.max.bytes": 20_000_000})
    announcer = Announcer(transport, source="web-1", topic=topic, catalogue=known)
    announced = announcer.announce(PageViewed(session_id="s1", url="x" * 3_000_000))
    announcer.announce(PageViewed(session_id="s2", url="/"))
    with pytest.raises(Undelivered, match=r"1 announced events did not arrive: .*[Mm]essage size") as caught:
        announcer.flush()
    assert [event.id for event in caught.value.events] == [announced]
    assert announcer.undelivered == 1
    announcer.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"linger.msec": 5},
            r'kafka_options \(OYEZ_KAFKA_OPTIONS\): No such configuration property: "linger.msec"',
        ),
        ({"acks": "many"}, "kafka_options .*acks"),
        ({"security.protocol": "tls"}, "kafka_options .*security.protocol"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    announcer = Announcer(KafkaTransport("127.0.0.1:1", options), source="web-1", catalogue=known)
    with pytest.raises(SettingsError, match=message):
        announcer.announce(Ticked())
    announcer.close()


def test_options_of_the_user_win(kafka: str, topic: str) -> None:
    transport = KafkaTransport("nowhere:1", {"bootstrap.servers": kafka, "compression.type": "zstd"})
    with Announcer(transport, source="web-1", topic=topic, catalogue=known) as announcer:
        announcer.announce(Ticked(), key="k")
    assert len(records(kafka, topic, 1)) == 1


def test_parent_and_children_of_a_fork_all_deliver_and_exit(
    kafka: str, topic: str, announcer: Announcer
) -> None:
    announcer.announce(PageViewed(session_id="parent", url="/before"))
    children = [_fork(announcer, f"child-{n}") for n in range(3)]
    announcer.announce(PageViewed(session_id="parent", url="/after"))
    assert [_exit_code(child) for child in children] == [0, 0, 0]
    announcer.flush()
    found = [decode(m.value(), m.headers(), m.key(), known) for m in records(kafka, topic, 8)]
    assert sorted((e.data.session_id, e.data.url) for e in found) == [
        *sorted((f"child-{n}", f"/{step}") for n in range(3) for step in ("0", "1")),
        ("parent", "/after"),
        ("parent", "/before"),
    ]
    assert len({e.id for e in found}) == 8


def test_a_closed_client_is_gone_without_a_garbage_collection(kafka: str, topic: str) -> None:
    """One that a forked child collected would crash the child."""
    transport = KafkaTransport(kafka)
    transport.send(topic, b"k", b"{}")
    link = weakref.ref(transport._links[topic])
    gc.disable()
    try:
        transport.close(5)
        eventually(lambda: link() is None)
    finally:
        gc.enable()


def _fork(announcer: Announcer, session: str) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for n in range(2):
            announcer.announce(PageViewed(session_id=session, url=f"/{n}"))
        announcer.close()
        code = 0 if announcer.announced == 2 else 2
    finally:
        os._exit(code)


def _exit_code(child: int) -> int:
    status: list[int] = []

    def ended() -> bool:
        found, code = os.waitpid(child, os.WNOHANG)
        status.append(code)
        return found == child

    eventually(ended)
    return os.waitstatus_to_exitcode(status[-1])
