"""`oyez status` while Kafka is away: it is then that it is asked for, and the database knows the most of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy import create_engine, insert

from consumers.cli.conftest import Invoke
from consumers.cli.running import Shop
from oyez.consumers.cli.common import probes
from oyez.consumers.database.tables import position
from oyez.consumers.logs.kafka.offsets import KafkaOffsets
from support.tables import knowing_the_tables

AWAY = {"OYEZ_TRANSPORT": "kafka", "OYEZ_KAFKA": "127.0.0.1:1"}
VIEWED, TICKED = "clishop.cli.page.viewed", "clishop.cli.ticked"


@pytest.fixture
def stopped(spooled_shop: Shop) -> Shop:
    """Something is parked, and two groups have begun to read a topic."""
    spooled_shop.print("db", "upgrade")
    spooled_shop.print("announce", "903", "-d", '{"session_id": "s1", "url": "/"}')
    spooled_shop.run("listen", "--limit", "1")
    engine = knowing_the_tables(create_engine(spooled_shop.settings["OYEZ_DATABASE"]))
    with engine.begin() as db:
        db.execute(position.delete())
        db.execute(insert(position), [row(VIEWED, 7, 1, halted="as told", halted_at=1.0), row(TICKED, 3, 0)])
    engine.dispose()
    return spooled_shop


def row(group: str, at: int, epoch: int, **more: Any) -> dict[str, Any]:
    where = {"topic": "events", "topic_id": "t1", "partition": 0, "group_name": group, "position": at}
    return {
        **where,
        "epoch": epoch,
        "owner": "",
        "updated_at": 0.0,
        "halted": None,
        "halted_at": None,
        **more,
    }


def by_group(said: str) -> Mapping[str, Any]:
    return {one["group"]: one for one in json.loads(said)}


def test_what_the_database_knows_is_shown(stopped: Shop) -> None:
    done = stopped.run("status", **AWAY)
    assert done.returncode == 5
    (line,) = [one for one in done.stderr.splitlines() if one != "imported"]
    assert "Kafka at 127.0.0.1:1 cannot be reached" in line
    assert line.endswith("; how much is left to read is not known")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert ["kafka", "127.0.0.1:1"] in rows
    assert next(one[:4] for one in rows if one[0] == VIEWED) == [VIEWED, "exactly-once", "unknown", "1"]
    partitions = {one[0]: one[1:6] for one in rows if one[1:2] == ["events"]}
    assert partitions[VIEWED] == ["events", "0", "7", "unknown", "unknown"]
    assert partitions[TICKED] == ["events", "0", "unknown", "unknown", "unknown"]
    assert "as told" in done.stdout


def test_so_it_is_as_json(stopped: Shop) -> None:
    done = stopped.run("status", "--json", **AWAY)
    assert done.returncode == 5
    found = by_group(done.stdout)
    assert {one["kafka"] for one in found.values()} == {"127.0.0.1:1"}
    assert (found[VIEWED]["lag"], found[VIEWED]["parked"]["waiting"]) == (None, 1)
    (viewed,), (ticked,) = found[VIEWED]["partitions"], found[TICKED]["partitions"]
    assert (viewed["position"], viewed["end"], viewed["lag"]) == (7, None, None)
    assert (ticked["position"], ticked["end"]) == (None, None)


@pytest.mark.parametrize(
    ("number", "code"), [(KafkaError._TIMED_OUT, 5), (KafkaError.GROUP_AUTHORIZATION_FAILED, 1)]
)
def test_a_broker_that_answers_and_then_does_not(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    assert invoke("db", "upgrade").exit_code == 0
    for name, value in AWAY.items():
        monkeypatch.setenv(name, value)

    def ends(*_given: object) -> None:
        raise KafkaException(KafkaError(number))

    monkeypatch.setattr(probes, "reached_log", lambda _backend: None)
    monkeypatch.setattr(KafkaOffsets, "ends", ends)
    done = invoke("status")
    assert (done.exit_code, f"{VIEWED}\texactly-once\tunknown" in done.stdout) == (code, True)


def test_a_database_that_is_away_is_told_first(stopped: Shop) -> None:
    done = stopped.run("status", OYEZ_DATABASE="postgresql+psycopg://oyez@127.0.0.1:1/oyez", **AWAY)
    assert (done.returncode, done.stdout) == (5, "")
    assert "the database" in done.stderr
