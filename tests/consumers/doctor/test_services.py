"""The checks on a real Kafka and a real PostgreSQL, on clocks that are wrong, and on servers that say nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from consumers.cli.running import Shop
from consumers.doctor.examined import examined
from oyez.consumers import ListenSettings
from oyez.consumers.doctor.check import Check, Finding, Result
from oyez.consumers.doctor.checks import clock, database, log
from oyez.consumers.doctor.examination import examine
from oyez.consumers.doctor.setup import Setup
from oyez.producers import SettingsError

DAY = 86_400
STARTED = ("announce", "901", "-d", '{"session_id": "s1"}')


def keep(kafka: str, topic: str, seconds: int) -> None:
    """Set how long a topic keeps its records."""
    entry = ConfigEntry("retention.ms", str(seconds * 1000), incremental_operation=AlterConfigOpType.SET)
    asked = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.incremental_alter_configs([asked])[asked].result(10)


def produce(kafka: str, topic: str, at: float, value: bytes = b"{}") -> None:
    """A record that bears this time, in partition 0."""
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topic, value, partition=0, timestamp=int(at * 1000))
    assert producer.flush(20) == 0


def test_a_healthy_shop_on_kafka(shop: Shop, topic: str) -> None:
    shop.print("db", "upgrade")
    shop.print(*STARTED)
    found = examined(shop)
    assert found.code == 0, found
    assert f"{topic} (4 partitions, 1 of each)" in found.says["topics"]
    assert "1 broker" in found.says["log"]
    for name in ("log's clock", "retention and inbox", "retention and positions", "workers", "positions"):
        assert found.states[name] == ["ok"], found.says[name]


def test_a_broker_that_is_away_is_told_once(shop: Shop) -> None:
    shop.print("db", "upgrade")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        found = examined(shop, "--kafka", f"127.0.0.1:{taken.getsockname()[1]}")
    assert found.code == 3
    assert [name for name, states in found.states.items() if "wrong" in states] == ["log"]
    assert "cannot be reached: " in found.says["log"]
    assert found.because["topics"] == found.because["retention and positions"] == "log"
    assert found.states["database"] == ["ok"]


def test_events_that_are_deleted_before_they_are_read_are_lost(shop: Shop, kafka: str, topic: str) -> None:
    shop.print("db", "upgrade")
    keep(kafka, topic, 30 * DAY)
    produce(kafka, topic, time.time() - 20 * DAY)
    shop.run("listen", "--limit", "9")  # the groups have positions now
    produce(kafka, topic, time.time() - 20 * DAY)
    found = examined(shop)
    assert (
        f"{topic} keeps events for 30 days, and groups know for 14 days" in found.says["retention and inbox"]
    )
    assert found.states["retention and positions"] == ["warning"] * 3, found.says
    assert f"{topic}[0]: what is unread is older than half" in found.says["retention and positions"]
    assert found.code == 0
    admin = AdminClient({"bootstrap.servers": kafka})
    for answer in admin.delete_records([TopicPartition(topic, 0, 2)]).values():
        answer.result(20)
    found = examined(shop)
    assert (found.code, found.states["retention and positions"]) == (3, ["wrong"] * 3)
    assert "1 record deleted unread" in found.says["retention and positions"]
    assert "--to earliest" in found.advice["retention and positions"]


def test_an_event_of_later_than_now_shows_a_clock_that_is_ahead(shop: Shop, kafka: str, topic: str) -> None:
    shop.print("db", "upgrade")
    produce(kafka, topic, time.time() + 1_800)
    found = examined(shop)
    assert f"{topic} has an event of " in found.says["log's clock"]
    assert found.states["log's clock"] == ["warning"]


Make = Callable[..., Setup]


@pytest.fixture
def setup() -> Iterator[Make]:
    """Makes what is looked at, without an application."""
    made: list[Setup] = []

    def make(wall: Callable[[], float] = time.time, **said: object) -> Setup:
        made.append(Setup([], ListenSettings(**said), SettingsError("none"), wall=wall))
        return made[-1]

    yield make
    for one in made:
        one.close()


def only(setup: Setup, check: Check) -> list[Result]:
    return list(examine(setup, [replace(check, needs=())]))


@pytest.mark.parametrize(
    ("ahead", "state"), [(0.0, "ok"), (20.0, "warning"), (-900.0, "wrong"), (900.0, "wrong")]
)
def test_a_clock_that_is_wrong_is_told(postgres: str, setup: Make, ahead: float, state: str) -> None:
    (found,) = only(setup(lambda: time.time() + ahead, database=postgres), clock.DATABASE)
    assert found.state == state, found
    if ahead:
        assert ("ahead of" if ahead > 0 else "behind") in found.says
        assert found.advice


def test_postgresql_is_named_with_its_version_and_without_its_password(postgres: str, setup: Make) -> None:
    (found,) = only(setup(database=postgres), database.CHECK)
    assert found.state == "ok"
    assert found.says.startswith("PostgreSQL 1")
    (away,) = only(setup(database="postgresql+psycopg://shop:hunter2@127.0.0.1:1/shop"), database.CHECK)
    assert (away.state, away.advice) == ("wrong", "is it running? `oyez dev` starts one here")
    assert "Is the server running" not in away.says  # one question is enough
    assert "hunter2" not in f"{away}"


@pytest.mark.parametrize("check", [database.CHECK, log.CHECK], ids=lambda check: check.name)
def test_a_server_that_says_nothing_is_left_after_the_limit(setup: Make, check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        port = server.getsockname()[1]
        found = only(
            setup(
                database=f"postgresql+psycopg://shop@127.0.0.1:{port}/shop",
                transport="kafka",
                kafka=f"127.0.0.1:{port}",
            ),
            replace(check, limit=0.2),
        )
    assert [(one.state, one.says) for one in found] == [("wrong", "no answer within 0.2 s")]


def test_a_check_that_fails_is_told_and_the_others_go_on(setup: Make) -> None:
    def fail(_setup: Setup) -> list[Finding]:
        raise KeyError("password=hunter2")

    def work(_setup: Setup) -> list[Finding]:
        return [Finding("ok", "well")]

    checks = [Check("one", (), fail), Check("two", ("one",), work), Check("three", (), work)]
    found = list(examine(setup(), checks))
    assert [(one.check, one.state, one.because) for one in found] == [
        ("one", "wrong", None),
        ("two", "not checked", "one"),
        ("three", "ok", None),
    ]
    assert "hunter2" not in str(found)
