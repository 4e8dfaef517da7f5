"""A batch of the client is never larger than what its topic takes, whoever says how much that is."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from oyez.consumers.dev import Kafka
from oyez.producers import Announcer, Settings, Undelivered
from oyez.producers.kafka.limits import Limits
from oyez.producers.kafka.transport import KafkaTransport
from oyez.schemas import decode
from producers.kafka.test_transport import records
from producers.shop import PageViewed, known
from support.services import make_topic, unique
from support.waiting import eventually

LIMIT = 20_000
Make = Callable[..., Announcer]


def set_limit(kafka: str, topic: str, limit: int) -> None:
    """What the topic takes from now on."""
    entry = ConfigEntry("max.message.bytes", str(limit), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.incremental_alter_configs([resource])[resource].result(20)
    eventually(lambda: Limits(kafka, {}).of(topic, 5.0) == limit)
    # The broker says so a moment before its logs go by it. What it learns later, it learns once that is done.
    known_topic(kafka, make_topic(kafka, unique("later"), 1))


def known_topic(kafka: str, topic: str) -> str:
    """This topic, once the broker says what it takes: it may be in the log of topics before."""
    eventually(lambda: Limits(kafka, {}).of(topic, 5.0) is not None)
    return topic


def small_topic(kafka: str, **config: object) -> str:
    """A new topic that takes 20 kB at once, unless told otherwise."""
    admin = AdminClient({"bootstrap.servers": kafka})
    name = unique("small")
    given = {"max.message.bytes": str(LIMIT)} | {
        key.replace("_", "."): str(value) for key, value in config.items()
    }
    admin.create_topics([NewTopic(name, 2, 1, config=given)], operation_timeout=30)[name].result(40)
    return known_topic(kafka, name)


@pytest.fixture
def announcer_to(kafka: str, tmp_path: Path) -> Iterator[Make]:
    """Makes announcers to a topic, with these settings."""
    made: list[Announcer] = []

    def make(topic: str, **said: Any) -> Announcer:
        given = {"transport": "kafka", "kafka": kafka, "topic": topic, "announce_timeout": 20.0} | said
        made.append(Announcer.from_settings(Settings(**given), catalogue=known))
        return made[-1]

    yield make
    for one in made:
        one.close()


def burst(announcer: Announcer, count: int, size: Callable[[], int], session: str = "s1") -> list[str]:
    """Announce so many events with letters that do not compress; their ids."""
    dice = random.Random(7)
    return [
        announcer.announce(PageViewed(session_id=session, url=dice.randbytes(size() // 2).hex()))
        for _ in range(count)
    ]


def ids_in(kafka: str, topic: str, count: int) -> list[str]:
    return [decode(m.value(), m.headers(), m.key(), known).id for m in records(kafka, topic, count)]


@pytest.mark.parametrize("durability", ["buffered", "acked", "spooled"])
@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_a_burst_to_a_topic_that_takes_little(
    kafka: str, announcer_to: Make, tmp_path: Path, durability: str, compression: str
) -> None:
    topic = small_topic(kafka)
    spool = {"spool": tmp_path} if durability == "spooled" else {}
    announcer = announcer_to(
        topic, durability=durability, kafka_options={"compression.type": compression}, **spool
    )
    ids = burst(announcer, 500 if durability == "buffered" else 50, lambda: 1_000)
    announcer.flush()
    assert announcer.undelivered == 0
    assert ids_in(kafka, topic, len(ids)) == ids


def test_events_of_every_size_up_to_what_the_topic_takes(kafka: str, announcer_to: Make) -> None:
    topic, dice = small_topic(kafka, compression_type="gzip"), random.Random(3)
    announcer = announcer_to(topic)
    ids = burst(announcer, 300, lambda: dice.choice((10, 300, 3_000, 9_000, LIMIT - 500)))
    announcer.flush()
    assert announcer.undelivered == 0
    assert ids_in(kafka, topic, 300) == ids


def test_topics_that_take_little_and_much_over_one_transport(kafka: str, topic: str) -> None:
    small = small_topic(kafka)
    transport = KafkaTransport(kafka)
    lost: list[bytes] = []
    transport.report_to(lambda value, reason: lost.append(value))
    for n in range(300):
        transport.send(small if n % 2 else topic, b"k", b"%d" % n * 333)
    transport.send(topic, b"k", b"x" * 900_000)
    transport.flush(20)
    assert lost == []
    assert len(records(kafka, small, 150)) == 150
    assert len(records(kafka, topic, 151)) == 151
    transport.close(5)


def test_the_one_that_is_too_large_is_told_with_what_to_do_and_takes_no_other_with_it(
    kafka: str, announcer_to: Make
) -> None:
    topic = small_topic(kafka)
    announcer = announcer_to(topic)
    ids = burst(announcer, 50, lambda: 1_000)
    large = burst(announcer, 1, lambda: 2 * LIMIT)
    ids += burst(announcer, 50, lambda: 1_000)
    with pytest.raises(Undelivered, match=r"max\.message\.bytes of the topic") as caught:
        announcer.flush()
    assert [event.id for event in caught.value.events] == large
    assert sorted(ids_in(kafka, topic, 100)) == sorted(ids)


def test_one_that_is_small_enough_once_compressed_is_not_refused(kafka: str, announcer_to: Make) -> None:
    topic = small_topic(kafka)
    announcer = announcer_to(topic, kafka_options={"compression.type": "gzip"})
    announced = announcer.announce(PageViewed(session_id="s1", url="x" * 5 * LIMIT))
    announcer.flush()
    assert ids_in(kafka, topic, 1) == [announced]


def test_a_topic_that_takes_less_than_before_costs_what_was_on_its_way_at_most(
    kafka: str, topic: str, announcer_to: Make
) -> None:
    announcer = announcer_to(topic)
    ids = burst(announcer, 100, lambda: 1_000)
    announcer.flush()
    set_limit(kafka, topic, LIMIT)
    told = burst(announcer, 100, lambda: 1_000)
    with pytest.raises(Undelivered) as caught:
        announcer.flush()
    assert {event.id for event in caught.value.events} <= set(told), "each is told"
    ids += [one for one in told if one not in {event.id for event in caught.value.events}]
    ids += burst(announcer, 500, lambda: 1_000)
    announcer.flush()
    assert ids_in(kafka, topic, len(ids)) == ids


class MockOfLimitsThatMayNotBeAsked(Limits):
    """A MOCK: a broker that does not let this client ask."""

    def of(self, topic: str, timeout: float) -> None:
        return None


def test_whoever_may_not_ask_sends_one_by_one_after_the_first_refusal(kafka: str, announcer_to: Make) -> None:
    topic = small_topic(kafka)
    announcer = announcer_to(topic)
    transport: Any = announcer._transport
    transport._limits = MockOfLimitsThatMayNotBeAsked(kafka, {})
    burst(announcer, 100, lambda: 1_000)
    with pytest.raises(Undelivered) as caught:
        announcer.flush()
    arrived = 100 - len(caught.value.events)
    ids = burst(announcer, 200, lambda: 1_000)
    announcer.flush()
    assert ids_in(kafka, topic, arrived + 200)[arrived:] == ids


def batches_of(count: int) -> dict[str, int]:
    """The client's options for batches that are sent when they have so many events, or at a flush."""
    return {"batch.num.messages": count, "linger.ms": 20_000}


def beside_a_lowered_limit(kafka: str, topic: str, announcer: Announcer, count: int) -> list[str]:
    """The ids of 10 events, and of so many that were announced when the topic had come to take less."""
    ids = burst(announcer, 10, lambda: 1_000)
    announcer.flush()
    set_limit(kafka, topic, LIMIT)
    ids += burst(announcer, count, lambda: 1_000)
    announcer.flush()
    return ids


def test_with_a_spool_nothing_is_lost_and_the_broker_is_used_again(
    kafka: str, topic: str, announcer_to: Make, tmp_path: Path
) -> None:
    announcer = announcer_to(topic, spool=tmp_path, kafka_options=batches_of(200))
    ids = beside_a_lowered_limit(kafka, topic, announcer, 200)  # as one batch
    transport: Any = announcer._transport

    def is_direct() -> bool:
        ids.append(announcer.announce(PageViewed(session_id="s1", url="/")))
        return bool(transport._lanes[topic].epoch)

    eventually(is_direct, 60)
    assert transport._lanes[topic].epoch > 1
    epoch = transport._lanes[topic].epoch
    ids += burst(announcer, 500, lambda: 1_000)
    announcer.flush()
    assert transport._lanes[topic].epoch == epoch, "it was not left again"
    assert announcer.undelivered == 0
    assert ids_in(kafka, topic, len(ids)) == ids


def test_with_a_spool_a_batch_that_overtakes_one_that_was_refused_costs_nothing_else(
    kafka: str, topic: str, announcer_to: Make, tmp_path: Path
) -> None:
    """The next batch may be under way before this process hears of the refusal: decision 036."""
    announcer = announcer_to(topic, spool=tmp_path, kafka_options=batches_of(30))
    transport: Any = announcer._transport
    transport._ended.set()  # nobody but the flush goes over to the spool
    ids = beside_a_lowered_limit(kafka, topic, announcer, 190)  # 6 that are refused, and one that is not
    found = ids_in(kafka, topic, 200)
    assert sorted(found) == ids
    refused = [one for one in found if one in set(ids[:-10])]
    assert refused == ids[:-10]


def test_what_the_whole_broker_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    # A new broker takes a while to make a topic.
    monkeypatch.setattr("oyez.producers.kafka.limits.MADE", 60.0)
    with Kafka(settings={"message.max.bytes": str(LIMIT)}) as broker:
        settings = Settings(
            transport="kafka", kafka=broker.bootstrap, topic="made.by.itself", announce_timeout=30.0
        )
        with Announcer.from_settings(settings, catalogue=known) as announcer:
            ids = burst(announcer, 500, lambda: 1_000)
            announcer.flush(30)
            assert announcer.undelivered == 0
        assert ids_in(broker.bootstrap, "made.by.itself", 500) == ids


def test_threads_keep_their_order_while_the_topic_takes_less(
    kafka: str, topic: str, announcer_to: Make
) -> None:
    announcer = announcer_to(topic)
    burst(announcer, 1, lambda: 1_000, session="first")
    announcer.flush()
    ids: dict[str, list[str]] = {}

    def announce(session: str) -> None:
        ids[session] = burst(announcer, 400, lambda: 200, session)

    threads = [threading.Thread(target=announce, args=(f"s{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    set_limit(kafka, topic, LIMIT)
    for thread in threads:
        thread.join()
    for session in [*ids]:
        ids[session] += burst(announcer, 100, lambda: 1_000, session)
    lost: set[str] = set()
    try:
        announcer.flush()
    except Undelivered as error:
        lost = {event.id for event in error.events}
    count = sum(map(len, ids.values())) - len(lost) + 1
    found = [decode(m.value(), m.headers(), m.key(), known) for m in records(kafka, topic, count)]
    assert len({event.id for event in found}) == count, "none twice"
    late = {session: made[-100:] for session, made in ids.items()}
    for session, made in late.items():
        there = [event.id for event in found if event.key == session and event.id in set(made)]
        assert there == [one for one in made if one not in lost]
