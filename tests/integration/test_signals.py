"""Listening servers that are told to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from integration.deployment import Deployment
from integration.findings import CLEAN
from support.processes import is_alive
from support.waiting import eventually


@pytest.fixture
def deployment(sqlite: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Deployment]:
    """The shop on SQLite: what is seen here is the same on each database."""
    made = Deployment(sqlite, kafka, topic, tmp_path)
    yield made
    made.close()


def _group(deployment: Deployment, group: str) -> tuple[ConsumerGroupState, int]:
    """The group's state, and the number of its members."""
    name = f"{deployment.app}.{group}"
    admin = AdminClient({"bootstrap.servers": deployment.env["OYEZ_KAFKA"]})
    found = admin.describe_consumer_groups([name])[name].result(timeout=20)
    return found.state, len(found.members)


def test_sigterm_ends_a_server_that_is_at_work_and_its_workers_leave_their_groups(
    deployment: Deployment,
) -> None:
    listening = deployment.listen(2, "page.viewed", "session.started")
    eventually(lambda: _group(deployment, "page.viewed") == (ConsumerGroupState.STABLE, 2))
    servers = deployment.announce(servers=2, sessions=20, views=10)
    eventually(lambda: deployment.handled() > 50)
    assert listening.stop() == 0, listening.output()
    # The client does not wait for the answer. Without a word they would be members for 45 s.
    eventually(lambda: _group(deployment, "page.viewed") == (ConsumerGroupState.EMPTY, 0), 20)
    assert listening.output().count("worker stopped") == 4

    assert [server.wait() for server in servers] == [0, 0]
    deployment.listen(1)
    assert deployment.settle() == CLEAN, deployment.logs()


def test_sigterm_lets_a_handler_finish_its_batch(deployment: Deployment, tmp_path: Path) -> None:
    listening = deployment.run("blocker", deployment.app, str(tmp_path))
    deployment.tick(0, 1)
    eventually((tmp_path / "inside").exists)
    listening.send(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert listening.wait() == 0, listening.output()
    assert deployment.ticks() == [1]


def test_sigint_ends_a_server_too(deployment: Deployment) -> None:
    listening = deployment.listen(1, "session.started")
    eventually(lambda: "worker started" in listening.output())
    listening.send(signal.SIGINT)
    assert listening.wait() == 128 + signal.SIGINT, listening.output()
    assert "worker stopped" in listening.output()


def test_a_server_told_to_stop_while_it_starts_its_workers_stops_them_all(deployment: Deployment) -> None:
    listening = deployment.listen(4)
    eventually(lambda: len(listening.children()) >= 2, every=0.001)
    workers = listening.children()
    assert listening.stop() == 0, listening.output()
    assert "killing it" not in listening.output()
    assert not any(map(is_alive, workers))


def test_workers_end_when_their_supervisor_is_killed(deployment: Deployment) -> None:
    listening = deployment.listen(2, "page.viewed")
    eventually(lambda: listening.output().count("worker started") == 2)
    workers = listening.children()
    assert len(workers) == 2
    listening.send(signal.SIGKILL)
    listening.wait()
    eventually(lambda: not any(map(is_alive, workers)))


def test_a_worker_that_died_is_started_again(deployment: Deployment) -> None:
    listening = deployment.listen(1, "session.started")
    eventually(lambda: listening.output().count("worker started") == 1)
    (worker,) = listening.children()
    worker.kill()
    eventually(lambda: listening.output().count("worker started") == 2)
    assert "session.started[0] ended with signal SIGKILL; starting it again" in listening.output()
    assert listening.stop() == 0, listening.output()


def test_a_signal_between_fork_and_a_workers_own_handlers_is_not_lost(deployment: Deployment) -> None:
    listening = deployment.run("hasty", deployment.app)
    eventually(lambda: "worker stopped" in listening.output())
    assert listening.stop() == 0, listening.output()
