"""Workers come and go, partitions are added, groups are new or change their promise."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from sqlalchemy import Connection, insert

from integration.deployment import Deployment
from integration.findings import CLEAN, count_rows
from integration.shop import Started, Ticked, Viewed, known, ticker, ticks
from integration.stepped_workers import Workers
from oyez.consumers import Application, Handlers
from oyez.consumers.handlers.registry import Promise
from support.waiting import eventually

QUICK = {"topic.metadata.refresh.interval.ms": "500"}


class Traffic:
    """Sessions and views from two servers, a few more each time; some views come before their session."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._rng = random.Random(7)
        self._sessions = 0

    def more(self) -> None:
        for source in ("web-0", "web-1"):
            some = (Viewed(session_id=f"s{self._rng.randrange(self._sessions + 2)}") for _ in range(4))
            self._deployment.say(*some, source=source)
        self._deployment.say(Started(session_id=f"s{self._sessions}"))
        self._sessions += 1

    def end(self) -> None:
        self._deployment.say(*(Started(session_id=f"s{self._sessions + n}") for n in range(2)))


def test_partitions_lost_kept_and_gained_while_events_flow(workers: Workers, deployment: Deployment) -> None:
    traffic = Traffic(deployment)
    workers.join("session.started")
    first = workers.join("page.viewed", batch=10)
    viewing = [first]

    def dealt(*counts: int) -> Callable[[], bool]:
        return lambda: sorted(len(member.held()) for member in viewing) == sorted(counts)

    workers.until(dealt(4), each=traffic.more)
    viewing.append(workers.join("page.viewed", batch=10))
    workers.until(dealt(2, 2), each=traffic.more)
    viewing.append(workers.join("page.viewed", batch=10))
    workers.until(dealt(1, 1, 2), each=traffic.more)
    assert first.held(), "it kept some"
    workers.leave(viewing.pop(0))
    workers.until(dealt(2, 2), each=traffic.more)
    viewing.append(workers.join("page.viewed", batch=10))
    workers.leave(viewing.pop(0))
    workers.until(dealt(2, 2), each=traffic.more)

    traffic.end()
    assert workers.settle() == CLEAN


class Losing:
    """A Kafka client that loses the partition of the first record before it fetches any others."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self._client = log._consumer
        self._lost: list[TopicPartition] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def poll(self, wait: float) -> Any:
        message = self._client.poll(wait)
        self._lost = [] if message is None else [TopicPartition(message.topic(), message.partition())]
        return message

    def consume(self, limit: int, wait: float) -> Any:
        self._log._on_revoke(self._client, self._lost)
        return self._client.consume(limit, wait)


def test_a_record_whose_partition_is_lost_in_the_same_poll_is_left_to_the_next_owner(
    tickers: Workers, deployment: Deployment
) -> None:
    member = tickers.join("ticked")
    tickers.until(lambda: len(member.held()) == 4)
    log = member.log.inner._log
    log._consumer = Losing(log)
    deployment.tick(2, 1)
    tickers.until(lambda: len(member.held()) == 3)
    assert member.held() == {0, 1, 3}
    assert tickers.ticks() == []

    tickers.leave(member)
    tickers.join("ticked")
    tickers.until(lambda: tickers.ticks() == [1])


def test_the_newer_group_protocol_can_be_chosen(tickers: Workers, deployment: Deployment) -> None:
    tickers.join("ticked", kafka_options={"group.protocol": "consumer"})
    deployment.tick(0, 1, 2)
    tickers.until(lambda: tickers.ticks() == [1, 2])


def test_a_new_group_begins_where_it_is_told_to(tickers: Workers, deployment: Deployment) -> None:
    for partition in range(4):
        deployment.tick(partition, partition)
    member = tickers.join("ticked", first_offset="latest")
    tickers.until(lambda: len(member.held()) == 4)
    for partition in range(4):
        deployment.tick(partition, 10 + partition)
    tickers.until(lambda: len(tickers.ticks()) == 4)
    assert sorted(tickers.ticks()) == [10, 11, 12, 13]

    again = Workers(deployment, ticker(f"{deployment.app}-2"))
    again.join("ticked")
    again.until(lambda: len(again.ticks()) == 12)
    again.close()
    assert sorted(again.ticks()) == sorted([0, 1, 2, 3, *[10, 11, 12, 13] * 2])


def test_an_added_partition_is_read_from_its_beginning(
    tickers: Workers, deployment: Deployment, kafka: str
) -> None:
    member = tickers.join("ticked", first_offset="latest", kafka_options=QUICK)
    tickers.until(lambda: len(member.held()) == 4)
    _add_partition(deployment, kafka)
    deployment.tick(4, 1, 2, 3)
    tickers.until(lambda: len(tickers.ticks()) == 3)
    assert tickers.ticks() == [1, 2, 3]
    assert member.held() == {0, 1, 2, 3, 4}


def test_an_added_partition_is_read_from_its_beginning_at_least_once(
    deployment: Deployment, kafka: str
) -> None:
    workers = Workers(deployment, ticker(deployment.app, "at-least-once"))
    member = workers.join("ticked", first_offset="latest", kafka_options=QUICK)
    workers.until(lambda: len(member.held()) == 4)
    _add_partition(deployment, kafka)
    deployment.tick(4, 1, 2, 3)
    workers.until(lambda: len(workers.ticks()) == 3)
    workers.close()


def test_later_events_of_a_key_stay_behind_though_they_come_from_an_added_partition(
    deployment: Deployment, kafka: str
) -> None:
    broken = {1}

    def tick_one(event: Ticked, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("as told")
        db.execute(insert(ticks), {"n": event.n})

    on = Handlers(deployment.app)
    on(Ticked)(tick_one)
    workers = Workers(deployment, Application(on, known))
    member = workers.join("ticked", kafka_options=QUICK)
    workers.until(lambda: len(member.held()) == 4)
    deployment.tick(0, 1)
    workers.until(lambda: count_rows(deployment.engine, "parked") == 1)
    _add_partition(deployment, kafka)
    deployment.tick(4, 2, 3)
    workers.until(lambda: count_rows(deployment.engine, "parked") == 3)
    assert workers.ticks() == []
    broken.clear()
    member.clock.ahead += 4_000.0
    workers.until(lambda: len(workers.ticks()) == 3)
    assert workers.ticks() == [1, 2, 3]
    workers.close()


def _add_partition(deployment: Deployment, kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_partitions([NewPartitions(deployment.topic, 5)])[deployment.topic].result(timeout=40)
    # The broker has been told, and may know it a moment later.
    eventually(lambda: len(admin.list_topics(deployment.topic).topics[deployment.topic].partitions) == 5)


def _run(deployment: Deployment, promise: Promise, number: int) -> list[int]:
    """One more tick, handled by a worker of a group with this promise, which then stops; all ticks."""
    workers = Workers(deployment, ticker(deployment.app, promise))
    workers.join("ticked", first_offset="earliest")
    deployment.tick(0, number)
    workers.until(lambda: number in workers.ticks())
    workers.close()
    return workers.ticks()


def test_a_group_that_changes_its_promise_goes_on_where_it_was(deployment: Deployment) -> None:
    assert _run(deployment, "at-least-once", 1) == [1]
    assert _run(deployment, "exactly-once", 2) == [1, 2]
    assert _run(deployment, "at-least-once", 3) == [1, 2, 3]
    assert _run(deployment, "exactly-once", 4) == [1, 2, 3, 4]


def test_an_at_least_once_group_loses_nothing_that_came_before_its_first_commit(
    deployment: Deployment, kafka: str
) -> None:
    workers = Workers(deployment, ticker(deployment.app, "at-least-once"))
    member = workers.join("ticked", first_offset="latest")
    workers.until(lambda: len(member.held()) == 4)
    deployment.tick(0, 1, 2)
    workers.members.remove(member)
    member.log.close()  # as if it had been killed: it handled nothing and told nothing

    workers.join("ticked", first_offset="latest")
    workers.until(lambda: workers.ticks() == [1, 2])
    workers.close()
