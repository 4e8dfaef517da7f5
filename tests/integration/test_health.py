"""`oyez healthy`, `/livez` and `/readyz`, over real services and processes: what is wrong is told apart."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from confluent_kafka import Consumer

from consumers.cli.running import Shop
from integration.deployment import Deployment
from integration.shop import Started
from oyez.consumers.dev import Kafka
from support.processes import Program
from support.scraping import Endpoint
from support.services import make_topic, make_topic_again
from support.waiting import eventually

SOON = {"budget": 1, "stuck_after": 3, "metrics": 0, "sweep_every": 0.2}
"""So that what is stuck is soon said to be."""
PATIENCE = 90.0


class Said(NamedTuple):
    """What `oyez healthy` said."""

    code: int
    lines: list[str]


class Watched:
    """A deployment that is asked how it is."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment = deployment
        deployment.env["OYEZ_HEALTH"] = str(folder / "health")
        self._shop = Shop(folder, {"OYEZ_HEALTH": str(folder / "health")})
        self.group = f"{deployment.app}.session.started"

    def listen(self, workers: int = 1, **said: object) -> Program:
        return self.deployment.listen(workers, "session.started", **{**SOON, **said})

    def healthy(self, *arguments: str) -> Said:
        done = self._shop.run("healthy", *arguments)
        assert done.stderr == ""
        return Said(done.returncode, done.stdout.splitlines())

    def is_well(self) -> bool:
        return self.healthy() == (0, ["healthy"])

    def becomes_well(self) -> None:
        eventually(self.is_well, PATIENCE)

    def is_said(self, text: str) -> bool:
        """Whether a reason has this in it."""
        return any(re.search(text, line) for line in self.healthy().lines)


@pytest.fixture
def watched(postgres: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Watched]:
    """The shop on PostgreSQL."""
    made = Deployment(postgres, kafka, topic, tmp_path)
    yield Watched(made, tmp_path)
    made.close()


@pytest.fixture(scope="module")
def bare() -> Iterator[Kafka]:
    """A broker that makes no topic unasked, and may be frozen."""
    with Kafka(settings={"auto.create.topics.enable": "false"}) as running:
        yield running


def workers(program: Program) -> list[int]:
    return [int(pid) for pid in re.findall(r"(\d+) oyez\.worker \S+ worker started", program.output())]


def test_one_that_has_nothing_to_do_is_well_for_ever(watched: Watched) -> None:
    """Two workers for one partition, too: one of them gets none."""
    assert watched.healthy().lines[0].startswith("nothing of Oyez runs here")
    program = watched.listen(5)
    watched.becomes_well()
    beaten = [0]

    def is_well_still() -> bool:
        assert watched.is_well(), watched.healthy()
        beaten[0] += 1
        return beaten[0] > 40

    eventually(is_well_still, PATIENCE)
    watched.deployment.say(Started(session_id="s"))
    eventually(lambda: watched.deployment.handled() == 1)
    assert watched.is_well()
    assert program.stop() == 0, program.output()
    assert watched.healthy().code == 1


def test_a_handler_that_never_returns(watched: Watched, tmp_path: Path) -> None:
    program = watched.deployment.run("blocker", watched.deployment.app, str(tmp_path), **SOON)
    at = Endpoint(program)
    watched.becomes_well()
    eventually(lambda: at.get("/readyz").status == 200)
    watched.deployment.tick(0, 1)
    eventually((tmp_path / "inside").exists, PATIENCE)
    reason = r"ticked\[0\]: a handler has not returned for \d+ s; it is in .*blocker\.py"
    eventually(lambda: watched.is_said(reason), PATIENCE)
    assert watched.healthy("--live").code == 1
    for path in ("/livez", "/readyz"):
        assert at.get(path).status == 503
        assert re.search(reason, at.get(path).text)
    (tmp_path / "go").touch()
    watched.becomes_well()
    assert program.stop() == 0, program.output()


@pytest.mark.parametrize("which", ["worker", "supervisor"])
def test_a_process_that_is_frozen(watched: Watched, which: str) -> None:
    program = watched.listen()
    watched.becomes_well()
    frozen = psutil.Process(program.pid if which == "supervisor" else workers(program)[0])
    name = "main" if which == "supervisor" else f"{watched.group}[0]"
    frozen.suspend()
    eventually(lambda: watched.is_said(re.escape(f"{name}: it says nothing for")), PATIENCE)
    assert watched.healthy("--live").code == 1
    frozen.resume()
    watched.becomes_well()
    assert program.stop() == 0, program.output()


def test_a_worker_that_was_killed(watched: Watched) -> None:
    program = watched.listen()
    watched.becomes_well()
    os.kill(workers(program)[0], signal.SIGKILL)
    eventually(lambda: watched.is_said(r"it ended with signal SIGKILL; it is started again in 0\.\d s"))
    assert watched.healthy("--live") == (0, ["healthy"])
    watched.becomes_well()
    program.send(signal.SIGKILL)
    program.wait()
    eventually(lambda: watched.is_said("nothing of Oyez runs here"))


def test_a_join_that_never_ends(watched: Watched) -> None:
    """Another member holds the group up: it lives, and does not join anew."""
    other = Consumer(
        {
            "bootstrap.servers": watched.deployment.env["OYEZ_KAFKA"],
            "group.id": watched.group,
            "partition.assignment.strategy": "range",
            "max.poll.interval.ms": 600_000,
        }
    )
    other.subscribe([watched.deployment.topic], on_revoke=lambda *_: None)
    eventually(lambda: other.poll(0.1) is None and other.assignment())
    program = watched.listen(kafka_options=json.dumps({"partition.assignment.strategy": "range"}))
    reason = r"its join lasts for \d+ s and does not end: .*waits for its members to join anew"
    eventually(lambda: watched.is_said(reason), PATIENCE)
    assert re.search(reason, watched.healthy("--live").lines[0])
    other.close()
    watched.becomes_well()
    assert program.stop() == 0, program.output()


def test_a_log_that_is_halted(watched: Watched) -> None:
    deployment = watched.deployment
    program = watched.listen(kafka_options=json.dumps({"allow.auto.create.topics": False}))
    watched.becomes_well()
    deployment.say(*(Started(session_id=f"s{n}") for n in range(8)))
    eventually(lambda: deployment.handled() == 8, PATIENCE)
    make_topic_again(deployment.env["OYEZ_KAFKA"], deployment.topic)
    reason = f"{deployment.topic} partition \\d is not read any more: .*was made again"
    eventually(lambda: watched.is_said(reason), PATIENCE)
    assert Endpoint(program).get("/livez").status == 200, "a restart would not help"
    assert watched.healthy("--live") == (0, ["healthy"])
    assert program.stop() == 0, program.output()


def test_a_topic_that_is_not_there_is_waited_for(bare: Kafka, postgres: str, tmp_path: Path) -> None:
    with closing(Deployment(postgres, bare.bootstrap, "shop.events", tmp_path)) as deployment:
        watched = Watched(deployment, tmp_path)
        program = watched.listen()
        eventually(lambda: watched.is_said(f"not available: {deployment.topic}"), PATIENCE)
        assert watched.healthy("--live") == (0, ["healthy"]), "a restart would not help"
        make_topic(bare.bootstrap, deployment.topic)
        watched.becomes_well()
        assert program.stop() == 0, program.output()


def test_a_broker_that_does_not_answer_is_not_believed_to_have_nothing(
    bare: Kafka, postgres: str, tmp_path: Path
) -> None:
    topic = make_topic(bare.bootstrap, "oyez.events")
    with closing(Deployment(postgres, bare.bootstrap, topic, tmp_path)) as deployment:
        watched = Watched(deployment, tmp_path)
        program = watched.listen()
        watched.becomes_well()
        bare.freeze()
        eventually(lambda: watched.is_said("the broker has not answered for"), PATIENCE)
        assert watched.healthy("--live") == (0, ["healthy"]), "a restart would not help"
        bare.thaw()
        watched.becomes_well()
        assert program.stop() == 0, program.output()
