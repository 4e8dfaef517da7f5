"""Workers come and go, partitions are added, groups are new or change their promise."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from sqlalchemy import Connection, insert

from integration.crew import Crew
from integration.findings import CLEAN, count_rows
from integration.shop import Started, Ticked, Viewed, known, ticker, ticks
from integration.site import Site
from oyez.consumers import Application, Handlers
from oyez.consumers.handlers.registry import Promise

QUICK = {"topic.metadata.refresh.interval.ms": "500"}


class Traffic:
    """Sessions and views from two servers, a few more each time; some views come before their session."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._rng = random.Random(7)
        self._sessions = 0

    def more(self) -> None:
        for source in ("web-0", "web-1"):
            some = (Viewed(session_id=f"s{self._rng.randrange(self._sessions + 2)}") for _ in range(4))
            self._site.say(*some, source=source)
        self._site.say(Started(session_id=f"s{self._sessions}"))
        self._sessions += 1

    def end(self) -> None:
        self._site.say(*(Started(session_id=f"s{self._sessions + n}") for n in range(2)))


def test_partitions_lost_kept_and_gained_while_events_flow(crew: Crew, site: Site) -> None:
    traffic = Traffic(site)
    crew.join("session.started")
    first = crew.join("page.viewed", batch=10)
    viewing = [first]

    def dealt(*counts: int) -> Callable[[], bool]:
        return lambda: sorted(len(member.held()) for member in viewing) == sorted(counts)

    crew.until(dealt(4), each=traffic.more)
    viewing.append(crew.join("page.viewed", batch=10))
    crew.until(dealt(2, 2), each=traffic.more)
    viewing.append(crew.join("page.viewed", batch=10))
    crew.until(dealt(1, 1, 2), each=traffic.more)
    assert first.held(), "it kept some"
    crew.leave(viewing.pop(0))
    crew.until(dealt(2, 2), each=traffic.more)
    viewing.append(crew.join("page.viewed", batch=10))
    crew.leave(viewing.pop(0))
    crew.until(dealt(2, 2), each=traffic.more)

    traffic.end()
    assert crew.settle() == CLEAN


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
    tickers: Crew, site: Site
) -> None:
    member = tickers.join("ticked")
    tickers.until(lambda: len(member.held()) == 4)
    log = member.log.inner._log
    log._consumer = Losing(log)
    site.tick(2, 1)
    tickers.until(lambda: len(member.held()) == 3)
    assert member.held() == {0, 1, 3}
    assert tickers.ticks() == []

    tickers.leave(member)
    tickers.join("ticked")
    tickers.until(lambda: tickers.ticks() == [1])


def test_the_newer_group_protocol_can_be_chosen(tickers: Crew, site: Site) -> None:
    tickers.join("ticked", kafka_options={"group.protocol": "consumer"})
    site.tick(0, 1, 2)
    tickers.until(lambda: tickers.ticks() == [1, 2])


def test_a_new_group_begins_where_it_is_told_to(tickers: Crew, site: Site) -> None:
    for partition in range(4):
        site.tick(partition, partition)
    member = tickers.join("ticked", first_offset="latest")
    tickers.until(lambda: len(member.held()) == 4)
    for partition in range(4):
        site.tick(partition, 10 + partition)
    tickers.until(lambda: len(tickers.ticks()) == 4)
    assert sorted(tickers.ticks()) == [10, 11, 12, 13]

    again = Crew(site, ticker(f"{site.app}-2"))
    again.join("ticked")
    again.until(lambda: len(again.ticks()) == 12)
    again.close()
    assert sorted(again.ticks()) == sorted([0, 1, 2, 3, *[10, 11, 12, 13] * 2])


def test_an_added_partition_is_read_from_its_beginning(tickers: Crew, site: Site, kafka: str) -> None:
    member = tickers.join("ticked", first_offset="latest", kafka_options=QUICK)
    tickers.until(lambda: len(member.held()) == 4)
    _add_partition(site, kafka)
    site.tick(4, 1, 2, 3)
    tickers.until(lambda: len(tickers.ticks()) == 3)
    assert tickers.ticks() == [1, 2, 3]
    assert member.held() == {0, 1, 2, 3, 4}


def test_an_added_partition_is_read_from_its_beginning_at_least_once(site: Site, kafka: str) -> None:
    crew = Crew(site, ticker(site.app, "at-least-once"))
    member = crew.join("ticked", first_offset="latest", kafka_options=QUICK)
    crew.until(lambda: len(member.held()) == 4)
    _add_partition(site, kafka)
    site.tick(4, 1, 2, 3)
    crew.until(lambda: len(crew.ticks()) == 3)
    crew.close()


def test_later_events_of_a_key_stay_behind_though_they_come_from_an_added_partition(
    site: Site, kafka: str
) -> None:
    broken = {1}

    def tick_one(event: Ticked, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("as told")
        db.execute(insert(ticks), {"n": event.n})

    on = Handlers(site.app)
    on(Ticked)(tick_one)
    crew = Crew(site, Application(on, known))
    member = crew.join("ticked", kafka_options=QUICK)
    crew.until(lambda: len(member.held()) == 4)
    site.tick(0, 1)
    crew.until(lambda: count_rows(site.engine, "parked") == 1)
    _add_partition(site, kafka)
    site.tick(4, 2, 3)
    crew.until(lambda: count_rows(site.engine, "parked") == 3)
    assert crew.ticks() == []
    broken.clear()
    member.clock.ahead += 4_000.0
    crew.until(lambda: len(crew.ticks()) == 3)
    assert crew.ticks() == [1, 2, 3]
    crew.close()


def _add_partition(site: Site, kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_partitions([NewPartitions(site.topic, 5)])[site.topic].result(timeout=40)


def _run(site: Site, promise: Promise, number: int) -> list[int]:
    """One more tick, handled by a worker of a group with this promise, which then stops; all ticks."""
    crew = Crew(site, ticker(site.app, promise))
    crew.join("ticked", first_offset="earliest")
    site.tick(0, number)
    crew.until(lambda: number in crew.ticks())
    crew.close()
    return crew.ticks()


def test_a_group_that_changes_its_promise_goes_on_where_it_was(site: Site) -> None:
    assert _run(site, "at-least-once", 1) == [1]
    assert _run(site, "exactly-once", 2) == [1, 2]
    assert _run(site, "at-least-once", 3) == [1, 2, 3]
    assert _run(site, "exactly-once", 4) == [1, 2, 3, 4]


def test_an_at_least_once_group_loses_nothing_that_came_before_its_first_commit(
    site: Site, kafka: str
) -> None:
    crew = Crew(site, ticker(site.app, "at-least-once"))
    member = crew.join("ticked", first_offset="latest")
    crew.until(lambda: len(member.held()) == 4)
    site.tick(0, 1, 2)
    crew.members.remove(member)
    member.log.close()  # as if it had been killed: it handled nothing and told nothing

    crew.join("ticked", first_offset="latest")
    crew.until(lambda: crew.ticks() == [1, 2])
    crew.close()
