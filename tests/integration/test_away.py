"""A database and a broker that go away and come back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.pool import NullPool

from integration.deployment import Deployment
from integration.findings import CLEAN, count_rows
from integration.shop import Started, Viewed, shop
from integration.stepped_workers import Workers
from oyez.consumers.database import Database, DatabaseAway, make_engine
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.database.tables import position
from oyez.consumers.dev import Postgres
from support.processes import Program
from support.services import UNSAFE, fresh_database
from support.waiting import eventually


@pytest.fixture
def deployment(postgres: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Deployment]:
    """The shop on PostgreSQL."""
    made = Deployment(postgres, kafka, topic, tmp_path)
    yield made
    made.close()


def _end_connections(deployment: Deployment) -> int:
    """End every connection to the site's database; how many there were."""
    deployment.engine.dispose()
    engine = create_engine(deployment.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as db:
        return int(db.execute(text(f"SELECT count(pg_terminate_backend(pid)) {others}")).scalar_one())


def _no_worker_died(listening: Program) -> bool:
    return "ended with" not in listening.output()


def test_connections_ended_under_load(deployment: Deployment) -> None:
    listening = deployment.listen(1, batch=10)
    servers = deployment.announce(servers=3, sessions=30, views=10)
    for mark in range(100, 1500, 200):
        eventually(lambda mark=mark: deployment.handled() >= mark, 60)
        eventually(lambda: _end_connections(deployment) > 0, 60)
    assert [server.wait() for server in servers] == [0, 0, 0]
    assert deployment.settle() == CLEAN, deployment.logs()
    assert _no_worker_died(listening), listening.output()
    assert listening.stop() == 0


def test_a_release_is_heard_though_the_listening_connection_was_ended(deployment: Deployment) -> None:
    workers = Workers(deployment, shop(deployment.app))
    workers.join("page.viewed", sweep_every=3600)
    workers.join("session.started", sweep_every=3600)
    deployment.say(Viewed(session_id="s"))
    workers.until(lambda: count_rows(deployment.engine, "parked") == 2)
    _end_connections(deployment)
    deployment.say(Started(session_id="s"))
    assert workers.settle() == CLEAN
    _end_connections(deployment)
    deployment.say(Viewed(session_id="t"))
    workers.until(lambda: count_rows(deployment.engine, "parked") == 2)
    deployment.say(Started(session_id="t"))
    assert workers.settle() == CLEAN
    workers.close()


def test_a_worker_that_is_stopped_while_the_database_is_away(kafka: str, topic: str, tmp_path: Path) -> None:
    with (
        Postgres(settings=UNSAFE) as server,
        fresh_database(server.url()) as url,
        closing(Deployment(url, kafka, topic, tmp_path)) as deployment,
    ):
        listening = deployment.listen(1, "page.viewed")
        eventually(lambda: "worker started" in listening.output())
        server.kill()
        deployment.say(Viewed(session_id="s"))
        eventually(lambda: "waiting for it" in listening.output())
        assert listening.stop() == 0, listening.output()
        server.restart()


def test_a_reader_that_meets_a_writer_on_sqlite_asks_again(sqlite: str) -> None:
    engine = make_engine(sqlite, sqlite_journal="delete")
    upgrade(engine)
    writer = sqlite3.connect(engine.url.database or "", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseAway, match="database is locked"), Database(engine).reading() as db:
        db.execute(select(position))
    writer.execute("COMMIT")
    with Database(engine).reading() as db:
        assert db.execute(select(position)).all() == []
    writer.close()
    engine.dispose()
