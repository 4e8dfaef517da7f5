"""Partitions that stall silently are found by asking the broker, and set going again: seek, rejoin, restart."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st

from consumers.logs.stall_watching import OTHER, P, Stalling, Watching
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka.broker import Broker
from oyez.consumers.logs.kafka.stalls import QUEUED, SILENT
from oyez.consumers.logs.log import Remedy, Stalled
from support.services import unique
from support.waiting import eventually


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
    assert broker.readable({partition: 0}) == {partition: False}
    producer.commit_transaction()
    eventually(lambda: end() == 2)
    assert broker.readable({partition: 0}) == {partition: True}
    assert broker.readable({partition: 2}) == {partition: False}
