"""Positions that are not in the topic, topics that are made again, and rewinds, on a real Kafka."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import select

from integration.crew import Crew, Member
from integration.shop import ticker
from integration.site import Site
from integration.test_protocols import PROTOCOLS
from oyez.consumers.admin import Rewinding
from oyez.consumers.database import Database
from oyez.consumers.database.positions import Partition
from oyez.consumers.database.tables import position
from oyez.consumers.reports import KafkaOffsets
from support.services import make_topic_again

# A member that asks for a topic would make it, with as many partitions as the broker likes.
ASKS_ONLY = {"allow.auto.create.topics": False}
HALTED = "is not read any more"


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka})


class Operator:
    """Rewinds the group of ticks, as the command does."""

    def __init__(self, crew: Crew, admin: AdminClient) -> None:
        self._crew = crew
        self._offsets = KafkaOffsets(admin)

    def rewind(self, to: int, *numbers: int, is_again: bool = False) -> None:
        topic = self._crew.site.topic
        (log,) = self._offsets.ends([topic])
        wanted = {Partition(topic, log.topic_id, n): to for n in numbers or log.partitions}
        (group,) = self._crew.application.groups.values()
        database = Database(self._crew.site.engine)
        Rewinding(group, database, self._offsets, [log], time.time).perform(wanted, is_again=is_again)


@pytest.fixture
def operator(tickers: Crew, admin: AdminClient) -> Operator:
    return Operator(tickers, admin)


class Asked:
    """Counts how often a member asks about its topics."""

    def __init__(self, names: Any) -> None:
        self._topics = names._topics
        self.asked = 0
        names._topics = self

    def partitions(self, topics: Iterable[str]) -> Any:
        self.asked += 1
        return self._topics.partitions(topics)


def reading(crew: Crew, **said: Any) -> Member:
    """A worker that holds all four partitions."""
    member = crew.join("ticked", **said)
    crew.until(lambda: len(member.held()) == 4)
    return member


def rows(site: Site) -> dict[int, Any]:
    with site.engine.connect() as db:
        return {row.partition: row for row in db.execute(select(position))}


def looked(member: Member) -> None:
    """It is time to look at the positions."""
    member.clock.ahead += 5.1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_topic_made_again_under_a_worker_is_not_read_until_the_group_is_rewound(
    tickers: Crew, site: Site, operator: Operator, kafka: str, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    member = reading(tickers, kafka_options={**ASKS_ONLY, **PROTOCOLS[protocol]})
    for partition in range(4):
        site.tick(partition, partition)
    tickers.until(lambda: len(tickers.ticks()) == 4)
    before = {row.topic_id for row in rows(site).values()}

    make_topic_again(kafka, site.topic)
    for partition in range(4):
        site.tick(partition, *range(10 + 10 * partition, 15 + 10 * partition))
    tickers.until(lambda: caplog.text.count(HALTED) == 4)
    assert len(tickers.ticks()) == 4
    assert member.held() == set()
    now = rows(site)
    assert {row.topic_id for row in now.values()}.isdisjoint(before)
    assert all("was made again" in row.halted for row in now.values())
    assert {row.position for row in now.values()} == {0}

    operator.rewind(0)
    looked(member)
    tickers.until(lambda: len(tickers.ticks()) == 24)
    assert sorted(tickers.ticks()[4:]) == [n for p in range(4) for n in range(10 + 10 * p, 15 + 10 * p)]
    assert caplog.text.count(HALTED) == 4


def test_a_position_whose_records_were_removed_stops_its_partition_alone(
    tickers: Crew, site: Site, operator: Operator, admin: AdminClient, caplog: pytest.LogCaptureFixture
) -> None:
    member = reading(tickers)
    for partition in range(4):
        site.tick(partition, 10 * partition)
    tickers.until(lambda: len(tickers.ticks()) == 4)
    tickers.leave(member)
    site.tick(1, 11, 12, 13, 14)
    removed = [TopicPartition(site.topic, 1, 3)]
    admin.delete_records(removed)[removed[0]].result()

    member = tickers.join("ticked")
    tickers.until(lambda: HALTED in caplog.text)
    assert "position 1 is not in it, it has 3 to 5" in rows(site)[1].halted
    for partition in (0, 2, 3):
        site.tick(partition, 10 * partition + 1)
    tickers.until(lambda: len(tickers.ticks()) == 7)
    assert member.held() == {0, 2, 3}
    assert rows(site)[1].position == 1

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
    tickers: Crew, site: Site, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    member = reading(tickers, kafka_options=PROTOCOLS[protocol])
    log = member.log.inner._log
    log._consumer = Erring(log._consumer, site.topic, 1)
    for partition in range(4):
        site.tick(partition, partition)
    for _ in range(3):
        log.idle()
    log.resume()
    assert {partition.number for partition in log.stranded()} == {1}
    tickers.until(lambda: HALTED in caplog.text)
    tickers.until(lambda: len(tickers.ticks()) == 3)
    assert sorted(tickers.ticks()) == [0, 2, 3]


def test_a_running_group_is_rewound(tickers: Crew, site: Site, operator: Operator) -> None:
    member = reading(tickers)
    site.tick(0, 1, 2, 3)
    tickers.until(lambda: tickers.ticks() == [1, 2, 3])
    epoch = rows(site)[0].epoch
    operator.rewind(1, 0)
    looked(member)
    tickers.until(lambda: rows(site)[0].position == 3)
    assert tickers.ticks() == [1, 2, 3]

    operator.rewind(1, 0, is_again=True)
    site.tick(0, 4)
    tickers.until(lambda: 4 in tickers.ticks())
    assert tickers.ticks() == [1, 2, 3, 2, 3, 4]
    assert rows(site)[0].epoch == epoch


def test_an_at_least_once_group_is_rewound_while_nobody_works(site: Site, admin: AdminClient) -> None:
    crew = Crew(site, ticker(site.app, "at-least-once"))
    member = reading(crew)
    site.tick(0, 1, 2, 3)
    crew.until(lambda: crew.ticks() == [1, 2, 3])
    crew.leave(member)
    Operator(crew, admin).rewind(1, 0)
    reading(crew)
    crew.until(lambda: len(crew.ticks()) == 5)
    assert crew.ticks() == [1, 2, 3, 2, 3]
    crew.close()


def test_a_group_that_was_at_least_once_stays_where_it_was_rewound_to(site: Site, admin: AdminClient) -> None:
    crew = Crew(site, ticker(site.app, "at-least-once"))
    member = reading(crew)
    site.tick(0, 1, 2, 3)
    crew.until(lambda: crew.ticks() == [1, 2, 3])
    crew.leave(member)

    exact = Crew(site, ticker(site.app))
    exact.leave(reading(exact))
    assert rows(site)[0].position == 3
    Operator(exact, admin).rewind(1, 0)
    reading(exact)
    exact.until(lambda: len(exact.ticks()) == 5)
    assert exact.ticks() == [1, 2, 3, 2, 3]
    exact.close()


def test_kafka_is_asked_for_nothing_when_nothing_is_wrong(tickers: Crew, site: Site) -> None:
    member = reading(tickers)
    topics = Asked(member.log.inner._log._names)
    for n in range(20):
        site.tick(n % 4, n)
        tickers.until(lambda n=n: n in tickers.ticks())
    assert topics.asked == 0
