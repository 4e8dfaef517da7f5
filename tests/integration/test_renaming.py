"""A group that is renamed goes on where it was. An at-least-once group's offsets are in Kafka, and go along."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Engine, insert
from typer.testing import CliRunner, Result

from consumers.logs.contract_logs import KafkaSetup, Reading
from oyez.consumers.cli import app
from oyez.consumers.database import make_engine
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.database.positions import Partition
from oyez.consumers.database.tables import handler, position
from oyez.consumers.logs.kafka.member import KafkaLog
from oyez.consumers.logs.kafka.offsets import KafkaOffsets
from oyez.consumers.logs.log import Log
from support.services import unique


@pytest.fixture
def setup(kafka: str, topic: str) -> Iterator[KafkaSetup]:
    made = KafkaSetup(kafka, topic, {})
    for n in range(8):
        made.append(f"k{n}", "v")
    yield made
    made.close()


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    made = make_engine(sqlite)
    upgrade(made)
    yield made
    made.dispose()


def read_all(setup: KafkaSetup, group: str) -> tuple[Log, dict[Partition, int]]:
    """A member that has read and committed all, and what it committed."""
    log = setup.join(group)
    reading = Reading(log)
    reading.until(lambda: len(reading.seen) >= 8)
    committed = {p: at for p, at in log.positions().items() if at}
    log.offsets.commit(committed, "at-least-once")
    reading.until(lambda: log.offsets.committed(list(committed)) == committed)
    return log, committed


def committed_by(kafka: str, group: str, asked: Mapping[Partition, int]) -> Mapping[Partition, int]:
    (topic,) = {partition.topic for partition in asked}
    log = KafkaLog(group, [topic], servers=kafka, options={}, logger=logging.getLogger("test"))
    try:
        return log.offsets.committed(list(asked))
    finally:
        log.close()


def record_handler(engine: Engine, group: str) -> None:
    row = {"app": group.partition(".")[0], "handler": "view", "group_name": group, "seen_at": 0.0}
    with engine.begin() as db:
        db.execute(insert(handler), [row])


def begin(engine: Engine, group: str, where: Partition, at: int) -> None:
    """Where an at-least-once group began: its epoch is 0."""
    topic, topic_id, number = where
    there = {"topic": topic, "topic_id": topic_id, "partition": number, "group_name": group}
    row = {**there, "position": at, "epoch": 0, "owner": "", "updated_at": 0.0}
    with engine.begin() as db:
        db.execute(insert(position), [row])


def rename(engine: Engine, kafka: str, old: str, new: str) -> Result:
    database = engine.url.render_as_string(hide_password=False)
    return CliRunner().invoke(app, ["group", "rename", old, new, "--kafka", kafka, "--database", database])


def test_what_a_group_committed_goes_with_its_name(kafka: str, setup: KafkaSetup):
    _, committed = read_all(setup, "old")
    setup.close()
    new = unique("renamed")
    assert KafkaOffsets(kafka, {}).copy_committed(f"{setup.prefix}.old", new) == len(committed)
    assert committed_by(kafka, new, committed) == committed


def test_a_group_that_is_there_keeps_what_it_committed(
    kafka: str, topic: str, setup: KafkaSetup, engine: Engine
) -> None:
    _, committed = read_all(setup, "old")
    setup.close()
    old, new = f"{setup.prefix}.old", f"{setup.prefix}.new"
    where = min(committed)
    own = committed[where] - 1
    KafkaOffsets(kafka, {}).commit(new, {(topic, where.number): own}, "at-least-once")
    record_handler(engine, old)
    begin(engine, old, where, 0)
    begin(engine, new, where, 0)
    refused = rename(engine, kafka, old, new)
    assert refused.exit_code == 2
    assert f"the group {new} has positions of its own" in refused.stderr
    assert committed_by(kafka, new, committed) == {where: own}


def test_a_group_whose_worker_runs_is_not_renamed(
    kafka: str, topic: str, setup: KafkaSetup, engine: Engine
) -> None:
    """The worker would begin anew under the old name, and handle all of it twice."""
    old, new = f"{setup.prefix}.old", f"{setup.prefix}.new"
    log, committed = read_all(setup, "old")
    where = min(committed)
    record_handler(engine, old)
    begin(engine, old, where, 0)
    refused = rename(engine, kafka, old, new)
    assert refused.exit_code == 1, refused.output
    assert f"{old} has 1 worker" in refused.stderr
    assert committed_by(kafka, new, committed) == {}
    log.close()
    assert rename(engine, kafka, old, new).exit_code == 0
    assert committed_by(kafka, new, committed) == committed
