"""Partitions that stall silently are found by asking the broker, and set going again: seek, rejoin, restart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st

from consumers.logs.contract_logs import Reading
from consumers.logs.stalling_consumer import Clients
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka.broker import Broker
from oyez.consumers.logs.kafka.member import KafkaLog
from oyez.consumers.logs.kafka.stalls import LOOK_EVERY, QUEUED, SILENT, Stalls
from oyez.consumers.logs.log import Remedy, Stalled
from support.services import unique
from support.waiting import eventually

P = Partition("t", "id", 0)
OTHER = Partition("t", "id", 1)


class Turned:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class ToldBroker:
    """A broker whose ends are told, and all of whose records can be read unless told otherwise."""

    def __init__(self, ends: Mapping[Partition, int]) -> None:
        self.says = dict(ends)
        self.unreadable: set[Partition] = set()
        self.looked: list[set[Partition]] = []
        self._asked: Collection[Partition] = ()

    def ask_ends(self, partitions: Collection[Partition]) -> None:
        self._asked = list(partitions)

    def ends(self) -> Mapping[Partition, int]:
        return {p: self.says[p] for p in self._asked if p in self.says}

    def readable(self, positions: Mapping[Partition, int]) -> set[Partition]:
        self.looked.append(set(positions))
        return set(positions) - self.unreadable


class Watching:
    """`Stalls` over a broker that is told, a look at a time."""

    def __init__(self, ends: Mapping[Partition, int]) -> None:
        self.broker = ToldBroker(ends)
        self.clock = Turned()
        self.stalls = Stalls(self.broker, self.clock)

    def look(self, positions: Mapping[Partition, int], polls: tuple[int, ...] = (0,)) -> list[Stalled]:
        for count in polls:
            self.stalls.polled(count)
        self.clock.now += LOOK_EVERY
        return self.stalls.look(positions)

    def looks(
        self, positions: Mapping[Partition, int], times: int, polls: tuple[int, ...] = (0,)
    ) -> list[Remedy]:
        return [one.remedy for _ in range(times) for one in self.look(positions, polls)]


def test_one_remedy_after_another_until_it_gets_on() -> None:
    watching = Watching({P: 9})
    assert watching.look({P: 4}) == []
    assert watching.looks({P: 4}, SILENT) == ["seek"]
    assert watching.looks({P: 4}, SILENT) == ["rejoin"]
    assert watching.looks({}, 3) == [], "it was given back"
    assert watching.looks({P: 4}, 2 * SILENT + 1) == ["restart", "restart"]
    watching.look({P: 5})
    assert watching.looks({P: 5}, SILENT) == ["seek"], "from the beginning"


def test_what_is_said_of_it() -> None:
    watching = Watching({P: 9})
    found = [one for _ in range(SILENT + 1) for one in watching.look({P: 4})]
    assert found == [Stalled(P, 4, 9, "seek")]
    assert found[0].why == "t partition 0 gives nothing, though it has records from 4 to 9"


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=40))
def test_one_that_gets_on_or_is_at_its_end_is_left_alone(steps: list[tuple[bool, int]]) -> None:
    watching, at = Watching({P: 0}), 0
    for is_behind, gained in steps:
        at += gained + is_behind
        watching.broker.says[P] = at + (5 if is_behind else 0)
        assert watching.look({P: at}) == []
    assert watching.broker.looked == []


def test_a_busy_worker_and_a_client_that_has_much_of_others_in_front_are_no_stall() -> None:
    watching = Watching({P: 9, OTHER: 10**9})
    for n in range(10):
        assert watching.look({P: 4, OTHER: n}, polls=()) == [], "nobody polled"
    for n in range(10, 20):
        assert watching.look({P: 4, OTHER: n * 500}, polls=(500, 500)) == []
    found = [
        one.partition
        for n in range(20, 20 + SILENT + 1)
        for one in watching.look({P: 4, OTHER: n * QUEUED}, polls=(QUEUED,))
    ]
    assert found == [P]


def test_what_another_client_cannot_read_either_is_no_stall() -> None:
    watching = Watching({P: 9})
    watching.broker.unreadable.add(P)
    assert watching.looks({P: 4}, 20) == []
    assert watching.broker.looked


def test_a_broker_that_does_not_answer_says_nothing() -> None:
    watching = Watching({})
    assert watching.looks({P: 4}, 20) == []


def test_what_was_rewound_is_no_stall() -> None:
    watching = Watching({P: 9})
    watching.looks({P: 8}, SILENT)
    assert watching.looks({P: 2}, SILENT) == []


class Stalling:
    """A member on a real broker whose client stalls when it is told to."""

    def __init__(self, kafka: str, topic: str) -> None:
        self.clock = Turned()
        self.clients = Clients()
        self.log = KafkaLog(
            unique("stalling"),
            [topic],
            servers=kafka,
            options={},
            logger=logging.getLogger("test.kafka"),
            clock=self.clock,
            make=self.clients,
        )
        self.reading = Reading(self.log)
        self.producer = Producer({"bootstrap.servers": kafka})
        self.topic = topic
        self.said = 0

    def announce(self) -> None:
        """One record for each partition."""
        for number in range(4):
            self.producer.produce(self.topic, b"%d" % self.said, partition=number)
        self.said += 4
        assert self.producer.flush(20) == 0

    def is_read(self) -> bool:
        return len(self.reading.seen) >= self.said

    def remedies(self, until: Callable[[], Any]) -> list[Remedy]:
        """What is done while time passes, five times as fast as it does: what is sought takes its time to come."""
        found: list[Remedy] = []

        def is_so() -> bool:
            self.reading.turn()
            self.clock.now += 0.1
            found.extend(dict.fromkeys(one.remedy for one in self.log.look_for_stalls()))
            return bool(until() or "restart" in found)

        eventually(is_so, 60)
        return found


@pytest.fixture
def stalling(kafka: str, topic: str) -> Iterator[Stalling]:
    made = Stalling(kafka, topic)
    yield made
    made.log.close()


@pytest.mark.parametrize(
    ("cure", "done"),
    [("seek", ["seek"]), ("rejoin", ["seek", "rejoin"]), ("restart", ["seek", "rejoin", "restart"])],
)
def test_a_client_that_stalls(stalling: Stalling, cure: Remedy, done: list[Remedy]) -> None:
    stalling.announce()
    stalling.reading.until(stalling.is_read)
    stalling.clients.stall(cure)
    stalling.announce()
    assert sum(stalling.log.lags().values()) == 0, "the client shows nothing"
    assert stalling.remedies(stalling.is_read) == done
    if cure == "restart":
        return
    stalling.announce()
    stalling.reading.until(stalling.is_read)
    assert len(stalling.reading.seen) == stalling.said, "none twice"
    assert len(stalling.clients.made) == len(done)


def test_a_member_that_is_well_or_busy_is_left_alone(stalling: Stalling) -> None:
    for _ in range(4):
        stalling.announce()
        stalling.log.idle()
        stalling.clock.now += 60.0
        assert stalling.log.look_for_stalls() == []
    stalling.log.resume()
    stalling.reading.until(stalling.is_read)
    for _ in range(8):
        stalling.announce()
        assert stalling.remedies(stalling.is_read) == []


def test_the_broker_is_asked_for_what_a_reader_of_committed_records_gets(kafka: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": unique("t")})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush()
    Producer({"bootstrap.servers": kafka}).flush()
    broker = Broker({"bootstrap.servers": kafka, "group.id": unique("g")}, {"bootstrap.servers": kafka})
    partition = Partition(topic, "id", 0)

    def end() -> int | None:
        broker.ask_ends([partition])
        eventually(broker.ends)
        return broker.ends()[partition]

    assert end() == 0
    assert broker.readable({partition: 0}) == set()
    producer.commit_transaction()
    eventually(lambda: end() == 2)
    assert broker.readable({partition: 0}) == {partition}
    assert broker.readable({partition: 2}) == set()
