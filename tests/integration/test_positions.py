"""Positions that are not in the topic, topics that are made again, and rewinds, on a real Kafka."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import select

from integration.deployment import Deployment
from integration.shop import ticker
from integration.stepped_workers import Member, Workers
from integration.test_protocols import PROTOCOLS
from oyez.consumers.admin import Rewinding
from oyez.consumers.database import Database
from oyez.consumers.database.positions import Partition
from oyez.consumers.database.tables import position
from oyez.consumers.logs.kafka.offsets import KafkaOffsets
from oyez.consumers.reports import group_states
from support.services import make_topic_again

# A member that asks for a topic would make it, with as many partitions as the broker likes.
ASKS_ONLY = {"allow.auto.create.topics": False}
HALTED = "is not read any more"


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka})


class Operator:
    """Rewinds the group of ticks, as the command does."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._offsets = KafkaOffsets(workers.deployment.env["OYEZ_KAFKA"], {})

    def rewind(self, to: int, *numbers: int, is_again: bool = False) -> None:
        topic = self._workers.deployment.topic
        (log,) = self._offsets.ends([topic])
        wanted = {Partition(topic, log.topic_id, n): to for n in numbers or log.partitions}
        (group,) = self._workers.application.groups.values()
        database = Database(self._workers.deployment.engine)
        Rewinding(group, database, self._offsets, [log], lambda _: time.time()).perform(
            wanted, is_again=is_again
        )


@pytest.fixture
def operator(tickers: Workers) -> Operator:
    return Operator(tickers)


class Asked:
    """Counts how often a member asks about its topics."""

    def __init__(self, names: Any) -> None:
        self._topics = names._topics
        self.asked = 0
        names._topics = self

    def partitions(self, topics: Iterable[str]) -> Any:
        self.asked += 1
        return self._topics.partitions(topics)


def reading(workers: Workers, **said: Any) -> Member:
    """A worker that holds all four partitions."""
    member = workers.join("ticked", **said)
    workers.until(lambda: len(member.held()) == 4)
    return member


def rows(deployment: Deployment) -> dict[int, Any]:
    with deployment.engine.connect() as db:
        return {row.partition: row for row in db.execute(select(position))}


def looked(member: Member) -> None:
    """It is time to look at the positions."""
    member.clock.ahead += 5.1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_topic_made_again_under_a_worker_is_not_read_until_the_group_is_rewound(
    tickers: Workers,
    deployment: Deployment,
    operator: Operator,
    kafka: str,
    protocol: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    member = reading(tickers, kafka_options={**ASKS_ONLY, **PROTOCOLS[protocol]})
    for partition in range(4):
        deployment.tick(partition, partition)
    tickers.until(lambda: len(tickers.ticks()) == 4)
    before = {row.topic_id for row in rows(deployment).values()}

    make_topic_again(kafka, deployment.topic)
    for partition in range(4):
        deployment.tick(partition, *range(10 + 10 * partition, 15 + 10 * partition))
    tickers.until(lambda: caplog.text.count(HALTED) == 4)
    assert len(tickers.ticks()) == 4
    assert member.held() == set()
    now = rows(deployment)
    assert {row.topic_id for row in now.values()}.isdisjoint(before)
    assert all("was made again" in row.halted for row in now.values())
    assert {row.position for row in now.values()} == {0}

    operator.rewind(0)
    looked(member)
    tickers.until(lambda: len(tickers.ticks()) == 24)
    assert sorted(tickers.ticks()[4:]) == [n for p in range(4) for n in range(10 + 10 * p, 15 + 10 * p)]
    assert caplog.text.count(HALTED) == 4


def test_a_position_whose_records_were_removed_stops_its_partition_alone(
    tickers: Workers,
    deployment: Deployment,
    operator: Operator,
    admin: AdminClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    member = reading(tickers)
    for partition in range(4):
        deployment.tick(partition, 10 * partition)
    tickers.until(lambda: len(tickers.ticks()) == 4)
    tickers.leave(member)
    deployment.tick(1, 11, 12, 13, 14)
    removed = [TopicPartition(deployment.topic, 1, 3)]
    admin.delete_records(removed)[removed[0]].result()

    member = tickers.join("ticked")
    tickers.until(lambda: HALTED in caplog.text)
    assert "position 1 is not in it, it has 3 to 5" in rows(deployment)[1].halted
    for partition in (0, 2, 3):
        deployment.tick(partition, 10 * partition + 1)
    tickers.until(lambda: len(tickers.ticks()) == 7)
    assert member.held() == {0, 2, 3}
    assert rows(deployment)[1].position == 1

    operator.rewind(3, 1)
    looked(member)
    tickers.until(lambda: len(tickers.ticks()) == 9)
    assert tickers.ticks()[7:] == [13, 14]
    assert caplog.text.count(HALTED) == 1


class Erring:
    """A Kafka client that says once that the position in a partition is not there."""

    def __init__(self, client: Any, topic: str, number: int) -> None:
        self._client = client
        error = KafkaError(KafkaError._AUTO_OFFSET_RESET)
        self._messages = [Message(topic=topic, partition=number, error=error)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def poll(self, wait: float) -> Any:
        return self._messages.pop() if self._messages else self._client.poll(wait)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_said_while_a_batch_takes_long_is_not_lost(
    tickers: Workers, deployment: Deployment, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    member = reading(tickers, kafka_options=PROTOCOLS[protocol])
    log = member.log.inner._log
    log._consumer = Erring(log._consumer, deployment.topic, 1)
    for partition in range(4):
        deployment.tick(partition, partition)
    for _ in range(3):
        log.idle()
    assert {partition.number for partition in log.out_of_range()} == {1}
    tickers.until(lambda: HALTED in caplog.text)
    tickers.until(lambda: len(tickers.ticks()) == 3)
    assert sorted(tickers.ticks()) == [0, 2, 3]


def test_a_running_group_is_rewound(tickers: Workers, deployment: Deployment, operator: Operator) -> None:
    member = reading(tickers)
    deployment.tick(0, 1, 2, 3)
    tickers.until(lambda: tickers.ticks() == [1, 2, 3])
    epoch = rows(deployment)[0].epoch
    operator.rewind(1, 0)
    looked(member)
    tickers.until(lambda: rows(deployment)[0].position == 3)
    assert tickers.ticks() == [1, 2, 3]

    operator.rewind(1, 0, is_again=True)
    deployment.tick(0, 4)
    tickers.until(lambda: 4 in tickers.ticks())
    assert tickers.ticks() == [1, 2, 3, 2, 3, 4]
    assert rows(deployment)[0].epoch == epoch


def test_an_at_least_once_group_is_rewound_while_nobody_works(deployment: Deployment) -> None:
    workers = Workers(deployment, ticker(deployment.app, "at-least-once"))
    member = reading(workers)
    deployment.tick(0, 1, 2, 3)
    workers.until(lambda: workers.ticks() == [1, 2, 3])
    workers.leave(member)
    Operator(workers).rewind(1, 0)
    reading(workers)
    workers.until(lambda: len(workers.ticks()) == 5)
    assert workers.ticks() == [1, 2, 3, 2, 3]
    workers.close()


def test_an_at_least_once_group_whose_offsets_kafka_has_forgotten_goes_on(
    deployment: Deployment, admin: AdminClient
) -> None:
    workers = Workers(deployment, ticker(deployment.app, "at-least-once"))
    member = reading(workers)
    deployment.tick(0, 1, 2, 3)
    workers.until(lambda: workers.ticks() == [1, 2, 3])
    workers.leave(member)
    (group,) = workers.application.groups
    admin.delete_consumer_groups([group])[group].result(20)  # it does so by itself after a week
    reading(workers)
    deployment.tick(0, 4)
    workers.until(lambda: 4 in workers.ticks())
    assert workers.ticks() == [1, 2, 3, 4]
    workers.close()


def test_status_shows_for_how_long_kafka_keeps_offsets(deployment: Deployment) -> None:
    (loose,) = ticker(deployment.app, "at-least-once").groups.values()
    (exact,) = ticker(deployment.app).groups.values()
    with deployment.engine.connect() as db:
        topics = {loose.name: [deployment.topic], exact.name: [deployment.topic]}
        states = [
            group_states(db, [one], topics, KafkaOffsets(deployment.env["OYEZ_KAFKA"], {}), time.time())[0]
            for one in (loose, exact)
        ]
    assert [one.offsets_kept for one in states] == [7 * 86_400.0, None]


def test_a_group_that_was_at_least_once_stays_where_it_was_rewound_to(deployment: Deployment) -> None:
    workers = Workers(deployment, ticker(deployment.app, "at-least-once"))
    member = reading(workers)
    deployment.tick(0, 1, 2, 3)
    workers.until(lambda: workers.ticks() == [1, 2, 3])
    workers.leave(member)

    exact = Workers(deployment, ticker(deployment.app))
    exact.leave(reading(exact))
    assert rows(deployment)[0].position == 3
    Operator(exact).rewind(1, 0)
    reading(exact)
    exact.until(lambda: len(exact.ticks()) == 5)
    assert exact.ticks() == [1, 2, 3, 2, 3]
    exact.close()


def test_kafka_is_asked_for_nothing_when_nothing_is_wrong(tickers: Workers, deployment: Deployment) -> None:
    member = reading(tickers)
    topics = Asked(member.log.inner._log._names)
    for n in range(20):
        deployment.tick(n % 4, n)
        tickers.until(lambda n=n: n in tickers.ticks())
    assert topics.asked == 0
