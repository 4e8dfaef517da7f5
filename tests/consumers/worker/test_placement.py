"""Events that are not where their keys belong are said once for each source, counted, and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any
from zlib import crc32

import pytest

from consumers.pipeline import Pipeline, Placed, known
from oyez.consumers import Handlers
from oyez.consumers.database.misplaced import FORGOTTEN, Misplaced, add, read
from oyez.consumers.instrumentation import Instrument, InstrumentationEvent, LogSubscriber, events
from oyez.consumers.reports import group_states
from oyez.consumers.worker.round import is_looked_at
from oyez.producers.memory import MemoryBroker, MemoryRecord
from oyez.producers.partitioning import partition_of
from oyez.schemas.encoding import Encoder

TOPIC = "pipeline"
GROUP = "shop.placed"
SIX = 6


class Collecting:
    def __init__(self) -> None:
        self.received: list[InstrumentationEvent] = []

    def receive(self, event: InstrumentationEvent) -> None:
        self.received.append(event)

    def of(self, kind: type[InstrumentationEvent]) -> list[Any]:
        return [event for event in self.received if type(event) is kind]


@contextmanager
def shop(url: str, told: Collecting) -> Iterator[Pipeline]:
    """A worker of a topic with six partitions, which deals what has no Kafka key in turn."""
    on = Handlers("shop")

    @on(Placed)
    def placed(event: Placed) -> None:
        pass

    turns = cycle(range(SIX))
    broker = MemoryBroker(SIX, choose=lambda _count: next(turns))
    pipeline = Pipeline(url, on, broker=broker, instrument=Instrument(told, LogSubscriber()))
    yield pipeline
    pipeline.engine.dispose()


@pytest.fixture
def told() -> Collecting:
    return Collecting()


@pytest.fixture
def pipeline(pipeline_database: str, told: Collecting) -> Iterator[Pipeline]:
    with shop(pipeline_database, told) as found:
        yield found


def said(
    pipeline: Pipeline, source: str, n: int, *, key: str | None, kafka: bytes | None, k: str = "s1"
) -> None:
    """What another producer has written."""
    value = Encoder(source, known).encode(
        Placed(n=n, k=k), id=f"e{n}", time="2026-01-01T00:00:00Z", key=key, subject=None
    )
    pipeline.broker.append(TOPIC, kafka, value)


def shown(pipeline: Pipeline) -> list[Misplaced]:
    with pipeline.engine.connect() as db:
        (state,) = group_states(db, pipeline.application.groups.values(), {GROUP: [TOPIC]}, None, 0.0)
    return state.misplaced


def test_a_source_that_deals_in_turn_is_named_once(
    pipeline: Pipeline, told: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(12):
        said(pipeline, "/orders", n, key="s1", kafka=None)
    pipeline.run()
    belongs = partition_of(b"s1", SIX)
    (found,) = told.of(events.KeysElsewhere)
    assert (found.source, found.topic, found.key, found.belongs) == ("/orders", TOPIC, "s1", belongs)
    assert found.partition != belongs
    assert sum(event.count for event in told.of(events.EventsMisplaced)) == 10
    (line,) = [record.getMessage() for record in caplog.records if "/orders" in record.getMessage()]
    assert line.startswith(f"{GROUP}: {TOPIC}: the key 's1' of /orders is in partition ")
    (kept,) = shown(pipeline)
    assert (kept.topic, kept.source, kept.count, kept.key, kept.belongs) == (
        TOPIC,
        "/orders",
        10,
        "s1",
        belongs,
    )


def test_what_is_found_later_is_counted_once_a_minute(pipeline: Pipeline, told: Collecting) -> None:
    for batch in range(3):
        for n in range(6):
            said(pipeline, "/orders", 6 * batch + n, key="s1", kafka=None)
        pipeline.run()
    assert [one.count for one in shown(pipeline)] == [5]
    pipeline.clock.now += 61.0
    for batch in range(3, 8):
        for n in range(6):
            said(pipeline, "/orders", 6 * batch + n, key="s1", kafka=None)
        pipeline.run()
    assert [one.count for one in shown(pipeline)] == [20]
    assert len(told.of(events.KeysElsewhere)) == 1


def test_what_is_where_it_belongs_is_not_named(pipeline: Pipeline, told: Collecting) -> None:
    """Ours; keys in bytes that are where these belong, with the key in the data; and events without any key."""
    pipeline.announce(*(Placed(n=n, k=f"k{n}") for n in range(50)))
    for n in range(50, 60):
        said(pipeline, "/java", n, key=None, kafka=n.to_bytes(8), k=str(n))
        said(pipeline, "/uuid", 100 + n, key=None, kafka=b"\xff" + n.to_bytes(15), k=str(n))
    pipeline.run()
    assert pipeline.dead() == []
    assert told.of(events.KeysElsewhere) == told.of(events.EventsMisplaced) == shown(pipeline) == []


def test_each_source_is_named(pipeline: Pipeline, told: Collecting) -> None:
    for n in range(12):
        said(pipeline, "/a" if n % 2 else "/b", n, key=f"s{n}", kafka=b"something else")
    pipeline.run()
    assert {event.source for event in told.of(events.KeysElsewhere)} == {"/a", "/b"}
    assert [one.source for one in shown(pipeline)] == ["/a", "/b"]


def put(pipeline: Pipeline, source: str, choose: Callable[[bytes, int], int], numbers: range) -> None:
    """What another producer has put into partitions of its own choice, by the event's key."""
    for n in numbers:
        key = f"k{n}".encode()
        value = Encoder(source, known).encode(
            Placed(n=n), id=f"{source}{n}", time="2026-01-01T00:00:00Z", key=key.decode(), subject=None
        )
        partition = choose(key, SIX)
        kept = pipeline.broker._topic(TOPIC).partitions[partition]
        at = len(kept)
        kept.append(MemoryRecord(TOPIC, partition=partition, offset=at, key=key, value=value, headers=()))


def test_what_corrects_it_is_told_by_what_the_client_has_chosen(
    pipeline: Pipeline, told: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline.broker.partitions(TOPIC)  # there is the topic
    put(pipeline, "/rust", lambda key, count: crc32(key) % count, range(30))
    put(pipeline, "/go", lambda _key, _count: 3, range(30))
    pipeline.run()
    advice = {event.source: event.advice for event in told.of(events.KeysElsewhere)}
    assert advice["/rust"].endswith("set partitioner=murmur2_random in its client")
    assert advice["/go"].startswith("in turn, at random or by a rule of its own")
    assert {one.source: one.advice for one in shown(pipeline)} == advice
    assert any(advice["/rust"] in record.getMessage() for record in caplog.records)


def test_partitions_that_were_added_are_nobodys_fault(pipeline: Pipeline, told: Collecting) -> None:
    """What was announced before is where it belonged then; a client that is wrong is found all the same."""
    pipeline.announce(*(Placed(n=n, k=f"k{n}") for n in range(60)))
    pipeline.broker.add_partitions(TOPIC, SIX + 3)
    pipeline.announce(*(Placed(n=n, k=f"k{n}") for n in range(60)))
    pipeline.run()
    assert told.of(events.KeysElsewhere) == told.of(events.EventsMisplaced) == shown(pipeline) == []
    put(pipeline, "/rust", lambda key, _count: crc32(key) % 9, range(40))
    for _ in range(8):
        pipeline.announce(Placed())
        pipeline.run()
    assert {event.source for event in told.of(events.KeysElsewhere)} == {"/rust"}


def test_what_was_set_right_is_forgotten(pipeline: Pipeline) -> None:
    with pipeline.engine.begin() as db:
        add(db, GROUP, [Misplaced(TOPIC, "/old", 3, "k", 1, 2)], 0.0)
        add(db, GROUP, [Misplaced(TOPIC, "/new", 1, "k", 1, 2)], FORGOTTEN)
        assert [one.source for one in read(db)[GROUP]] == ["/new", "/old"]
        add(db, GROUP, [Misplaced(TOPIC, "/new", 2, "k2", 3, 4)], FORGOTTEN + 1.0)
        assert read(db)[GROUP] == [Misplaced(TOPIC, "/new", 3, "k2", 3, 4)]


def test_few_batches_are_looked_at() -> None:
    assert [n for n in range(1, 33) if is_looked_at(n)] == [1, 2, 3, 8, 16, 24, 32]
