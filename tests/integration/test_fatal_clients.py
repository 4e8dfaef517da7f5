"""A client that does nothing any more, ever, ends its worker, with the reason; the worker is started anew."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from integration.deployment import Deployment
from integration.shop import Started
from support.processes import Program
from support.scraping import Endpoint
from support.waiting import eventually

PATIENCE = 90.0
STATIC = {"group.instance.id": "here"}
NEWER = {"group.protocol": "consumer"}


@pytest.fixture
def deployment(postgres: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Deployment]:
    """The shop on PostgreSQL."""
    made = Deployment(postgres, kafka, topic, tmp_path)
    yield made
    made.close()


def listen(deployment: Deployment, workers: int, options: dict[str, str], **said: object) -> Program:
    return deployment.listen(workers, "session.started", kafka_options=json.dumps(options), **said)


def instances(deployment: Deployment) -> list[tuple[str, int]]:
    """The instance ids of the group's members, each with how many partitions it has."""
    group = f"{deployment.app}.session.started"
    admin = AdminClient({"bootstrap.servers": deployment.env["OYEZ_KAFKA"]})
    found = admin.describe_consumer_groups([group])[group].result(20)
    return sorted(
        (one.group_instance_id or "", len(one.assignment.topic_partitions)) for one in found.members
    )


def handles(deployment: Deployment, *sessions: str) -> None:
    before = deployment.handled()
    deployment.say(*(Started(session_id=one) for one in sessions))
    eventually(lambda: deployment.handled() >= before + len(sessions), PATIENCE)


def pids(program: Program) -> list[int]:
    return [int(pid) for pid in re.findall(r"(\d+) oyez\.worker \S+ worker started", program.output())]


@pytest.mark.parametrize("protocol", [{}, NEWER])
def test_each_worker_of_a_group_is_an_instance_of_its_own(
    deployment: Deployment, protocol: dict[str, str]
) -> None:
    program = listen(deployment, 2, STATIC | protocol)
    eventually(lambda: instances(deployment) == [("here-0", 2), ("here-1", 2)], PATIENCE)
    handles(deployment, *(f"s{n}" for n in range(8)))
    assert program.stop() == 0, program.output()
    assert "fenced" not in program.output()
    assert len(pids(program)) == 2, "nobody was started again"


def test_a_second_copy_during_a_deploy_and_the_first_goes_on_after_it(deployment: Deployment) -> None:
    first = listen(deployment, 1, STATIC, metrics=0)
    at = Endpoint(first)
    eventually(lambda: at.ready() == 200, PATIENCE)
    second = listen(deployment, 1, STATIC)
    eventually(
        lambda: "another client of the group has its group.instance.id (here-0)" in first.output(), PATIENCE
    )
    eventually(lambda: at.ready() == 503, PATIENCE)
    assert second.stop() == 0
    handles(deployment, "s1", "s2", "s3", "s4")
    eventually(lambda: at.ready() == 200, PATIENCE)
    assert at.value("oyez_worker_deaths_total", f"{deployment.app}.session.started")
    assert first.stop() == 0, first.output()
    assert "one by one" not in first.output(), "nobody died on an event"


def test_the_successor_of_a_static_worker_that_was_killed_is_let_in_when_its_session_ends(
    deployment: Deployment,
) -> None:
    program = listen(deployment, 1, STATIC | NEWER)
    handles(deployment, "s1")
    os.kill(pids(program)[0], signal.SIGKILL)
    eventually(lambda: "the broker keeps the id here-0" in program.output(), PATIENCE)
    handles(deployment, "s2")
    assert program.stop() == 0, program.output()


def test_workers_of_the_newer_protocol_beside_those_of_the_other_are_let_in_when_these_end(
    deployment: Deployment,
) -> None:
    older = listen(deployment, 2, {})
    eventually(lambda: instances(deployment) == [("", 2), ("", 2)], PATIENCE)
    newer = listen(deployment, 1, NEWER)

    def is_refused_or_in() -> bool:
        """The broker takes it beside the others if each of them has joined only once."""
        refused = "members of another group.protocol: stop all of its workers" in newer.output()
        return refused or len(instances(deployment)) == 3

    eventually(is_refused_or_in, PATIENCE)
    handles(deployment, "s1")
    assert older.stop() == 0
    handles(deployment, "s2", "s3")
    assert newer.stop() == 0, newer.output()


def test_an_assignor_that_the_broker_does_not_have(deployment: Deployment) -> None:
    program = listen(deployment, 1, NEWER | {"group.remote.assignor": "nosuch"}, metrics=0)
    at = Endpoint(program)
    eventually(lambda: "the broker does not have the assignor" in program.output(), PATIENCE)
    eventually(lambda: len(pids(program)) > 1, PATIENCE)
    eventually(lambda: at.ready() == 503, PATIENCE)
    assert program.stop() == 0
