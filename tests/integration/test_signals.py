"""Listening servers that are told to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from integration.findings import CLEAN
from integration.site import Site
from support.processes import is_alive
from support.waiting import eventually


@pytest.fixture
def site(sqlite: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Site]:
    """The shop on SQLite: what is seen here is the same on each database."""
    made = Site(sqlite, kafka, topic, tmp_path)
    yield made
    made.close()


def _group(site: Site, group: str) -> tuple[ConsumerGroupState, int]:
    """The group's state, and the number of its members."""
    name = f"{site.app}.{group}"
    admin = AdminClient({"bootstrap.servers": site.env["OYEZ_KAFKA"]})
    found = admin.describe_consumer_groups([name])[name].result(timeout=20)
    return found.state, len(found.members)


def test_sigterm_ends_a_server_that_is_at_work_and_its_workers_leave_their_groups(site: Site) -> None:
    listening = site.listen(2, "page.viewed", "session.started")
    eventually(lambda: _group(site, "page.viewed") == (ConsumerGroupState.STABLE, 2))
    servers = site.announce(servers=2, sessions=20, views=10)
    eventually(lambda: site.handled() > 50)
    assert listening.stop() == 0, listening.output()
    assert _group(site, "page.viewed") == (ConsumerGroupState.EMPTY, 0)
    assert listening.output().count("worker stopped") == 4

    assert [server.wait() for server in servers] == [0, 0]
    site.listen(1)
    assert site.settle() == CLEAN, site.logs()


def test_sigterm_lets_a_handler_finish_its_batch(site: Site, tmp_path: Path) -> None:
    listening = site.run("blocker", site.app, str(tmp_path))
    site.tick(0, 1)
    eventually((tmp_path / "inside").exists)
    listening.send(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert listening.wait() == 0, listening.output()
    assert site.ticks() == [1]


def test_sigint_ends_a_server_too(site: Site) -> None:
    listening = site.listen(1, "session.started")
    eventually(lambda: "worker started" in listening.output())
    listening.send(signal.SIGINT)
    assert listening.wait() == 128 + signal.SIGINT, listening.output()
    assert "worker stopped" in listening.output()


def test_a_server_told_to_stop_while_it_starts_its_workers_stops_them_all(site: Site) -> None:
    listening = site.listen(4)
    eventually(lambda: len(listening.children()) >= 2, every=0.001)
    workers = listening.children()
    assert listening.stop() == 0, listening.output()
    assert "killing it" not in listening.output()
    assert not any(map(is_alive, workers))


def test_workers_end_when_their_supervisor_is_killed(site: Site) -> None:
    listening = site.listen(2, "page.viewed")
    eventually(lambda: listening.output().count("worker started") == 2)
    workers = listening.children()
    assert len(workers) == 2
    listening.send(signal.SIGKILL)
    listening.wait()
    eventually(lambda: not any(map(is_alive, workers)))


def test_a_worker_that_died_is_started_again(site: Site) -> None:
    listening = site.listen(1, "session.started")
    eventually(lambda: listening.output().count("worker started") == 1)
    (worker,) = listening.children()
    worker.kill()
    eventually(lambda: listening.output().count("worker started") == 2)
    assert "session.started[0] ended with signal SIGKILL; starting it again" in listening.output()
    assert listening.stop() == 0, listening.output()


def test_a_signal_between_fork_and_a_workers_own_handlers_is_not_lost(site: Site) -> None:
    listening = site.run("hasty", site.app)
    eventually(lambda: "worker stopped" in listening.output())
    assert listening.stop() == 0, listening.output()
