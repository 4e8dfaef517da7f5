"""What every benchmark stands on: services, a topic with events in it, and ratios of loops run side by side."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from uuid import uuid4

from accounts import Loop, once
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from profiling import labelled
from sqlalchemy import create_engine, make_url

from oyez.consumers.dev import Kafka, Postgres


@dataclass
class Services:
    """Where the broker and PostgreSQL are."""

    kafka: str
    postgres: str


@contextmanager
def services() -> Iterator[Services]:
    """OYEZ_TEST_KAFKA and OYEZ_TEST_POSTGRES, or packaged ones; with a database of this run's own."""
    kafka, postgres = os.environ.get("OYEZ_TEST_KAFKA"), os.environ.get("OYEZ_TEST_POSTGRES")
    with ExitStack() as ending:
        if kafka and postgres:
            given = Services(kafka, postgres)
        else:
            broker, server = ending.enter_context(Kafka()), ending.enter_context(Postgres())
            given = Services(broker.bootstrap, server.url("postgres"))
        yield Services(given.kafka, ending.enter_context(database(given)))


@dataclass
class Row:
    """One line of the table: loops measured in turns, so that they meet the same noise."""

    work: str
    beside: str
    goal: float
    rates: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "loop": []})

    def turn(self, count: int, ours: Loop, loop: Loop) -> None:
        """Run both once; the order changes from turn to turn. Raises `NotOnce` if one of them lost or doubled some of
        its ``count`` events."""
        both = [("ours", ours), ("loop", loop)]
        for name, side in both if len(self.rates["ours"]) % 2 else reversed(both):
            run = labelled(f"{name}: {self.work}", side.run)
            begin = time.perf_counter()
            run()
            self.add(name, count, time.perf_counter() - begin, side.handled())

    def add(self, name: str, count: int, seconds: float, handled: Collection[Hashable]) -> None:
        """What one side did in a turn."""
        once(f"{self.work} ({'Oyez' if name == 'ours' else self.beside})", count, handled)
        self.rates[name].append(count / seconds)

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return median(self.rates["ours"]) / median(self.rates["loop"])

    @property
    def ratios(self) -> list[float]:
        """Of each turn, from the least to the greatest."""
        return sorted(ours / loop for ours, loop in zip(*self.rates.values(), strict=False))

    def saved(self) -> dict[str, object]:
        """What is kept of it."""
        return {
            "work": self.work,
            "beside": self.beside,
            "ours": f"{median(self.rates['ours']):,.0f}/s",
            "theirs": f"{median(self.rates['loop']):,.0f}/s",
            "found": f"{self.ratio:.2f}",
            "spread": f"{self.ratios[0]:.2f} to {self.ratios[-1]:.2f}",
            "goal": f"{self.goal:g}",
            "is_met": self.ratio >= self.goal,
            "rates": self.rates,
        }

    def __str__(self) -> str:
        ours, loop = (median(self.rates[name]) for name in ("ours", "loop"))
        met = self.ratio / self.goal
        verdict = "" if met >= 1 else "  BELOW" if met >= 1 / 2 else "  UNDER HALF"
        spread = f"{self.ratios[0]:.2f}-{self.ratios[-1]:.2f}"
        return (
            f"{self.work:<58} {self.beside:<46} {ours / 1000:8.1f}k {loop / 1000:8.1f}k "
            f"{self.ratio:6.2f} {spread:>11} (goal {self.goal}){verdict}"
        )


@dataclass
class Figure:
    """A line of the table that is no ratio."""

    work: str
    beside: str
    value: str
    goal: str
    is_met: bool = field(default=True)

    def saved(self) -> dict[str, object]:
        """What is kept of it."""
        kept = {"work": self.work, "beside": self.beside, "ours": self.value, "goal": self.goal}
        return {**kept, "is_met": self.is_met}

    def __str__(self) -> str:
        verdict = "" if self.is_met else "  BELOW"
        return f"{self.work:<58} {self.beside:<46} {self.value:>28} (goal {self.goal}){verdict}"


@contextmanager
def database(services: Services) -> Iterator[str]:
    """The URL of a database of PostgreSQL's of its own, empty."""
    name = f"bench_{uuid4().hex[:10]}"
    server = create_engine(services.postgres, isolation_level="AUTOCOMMIT")
    with server.connect() as db:
        db.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield make_url(services.postgres).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as db:
            db.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()


def new_topic(servers: str, partitions: int = 4) -> str:
    """A fresh topic."""
    admin = AdminClient({"bootstrap.servers": servers})
    name = f"bench-{uuid4().hex[:10]}"
    admin.create_topics([NewTopic(name, partitions, 1)], operation_timeout=30)[name].result(timeout=40)
    return name


def fill(servers: str, topic: str, events: Sequence[tuple[bytes, bytes]]) -> None:
    """Put (key, value) records into a topic."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "partitioner": "murmur2_random"})
    for key, value in events:
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0


def consumer(servers: str, topic: str, partitions: int = 4) -> Consumer:
    """A plain consumer at the topic's beginning."""
    made = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"raw-{uuid4().hex[:8]}",
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 10,
            "auto.offset.reset": "earliest",
        }
    )
    made.assign([TopicPartition(topic, n, 0) for n in range(partitions)])
    return made


def position(client: Consumer) -> int:
    """How many records it has got past, of all partitions together."""
    return sum(max(0, at.offset) for at in client.position(client.assignment()))


def read_all(
    client: Consumer, count: int, handle: Callable[[list[Message]], object], batch: int = 500
) -> None:
    """The plain loop: batches of messages until ``count`` were read."""
    seen = 0
    while seen < count:
        first = client.poll(1.0)
        if first is None:
            continue
        messages = [first, *client.consume(batch - 1, 0)]
        seen += len(messages)
        handle(messages)
