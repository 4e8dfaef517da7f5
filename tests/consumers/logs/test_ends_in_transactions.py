"""A log may end in what no consumer is given: an aborted transaction, and the markers at the end of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from consumers.logs.contract_logs import KafkaSetup, Reading
from support.services import unique

PROTOCOLS = ({}, {"partition.assignment.strategy": "range"}, {"group.protocol": "consumer"})


@pytest.fixture(params=PROTOCOLS, ids=["cooperative", "eager", "kip-848"])
def setup(request: pytest.FixtureRequest, kafka: str, topic: str) -> Iterator[KafkaSetup]:
    made = KafkaSetup(kafka, topic, request.param)
    yield made
    made.close()


@pytest.fixture
def transacting(kafka: str) -> Producer:
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": unique("t")})
    producer.init_transactions()
    return producer


def transact(producer: Producer, topic: str, count: int, *, commit: bool) -> None:
    producer.begin_transaction()
    for number in range(4):
        for n in range(count):
            producer.produce(topic, b"%d" % n, partition=number)
    producer.flush()
    if commit:
        producer.commit_transaction()
    else:
        producer.abort_transaction()


def lag(reading: Reading) -> int | None:
    """None as long as the member does not know all of it."""
    (log,) = reading.members
    lags = log.lags()
    return sum(lags.values()) if len(lags) == len(log.positions()) == 4 else None


def test_the_lag_falls_to_nothing(setup: KafkaSetup, topic: str, transacting: Producer) -> None:
    reading = Reading(setup.join("a"))
    transact(transacting, topic, 3, commit=False)
    reading.until(lambda: lag(reading) == 0)
    assert set(reading.members[0].positions().values()) == {4}
    transact(transacting, topic, 2, commit=True)
    reading.until(lambda: len(reading.seen) == 8 and lag(reading) == 0)
    transact(transacting, topic, 5, commit=False)
    reading.until(lambda: set(reading.members[0].positions().values()) == {13} and lag(reading) == 0)
    assert [reading.members[0].count(p, at) for p, at in reading.members[0].positions().items()] == [0] * 4


def test_what_comes_after_it_is_read_once_and_what_is_started_again_again(
    setup: KafkaSetup, topic: str, transacting: Producer
) -> None:
    reading = Reading(setup.join("a"))
    (log,) = reading.members
    transact(transacting, topic, 1, commit=True)
    transact(transacting, topic, 3, commit=False)
    reading.until(lambda: len(reading.seen) == 4 and lag(reading) == 0)
    log.start(dict.fromkeys(log.positions(), 0))
    assert set(log.positions().values()) == {0}
    reading.until(lambda: len(reading.seen) == 8 and lag(reading) == 0)
    transact(transacting, topic, 1, commit=True)
    reading.until(lambda: len(reading.seen) == 12 and lag(reading) == 0)
