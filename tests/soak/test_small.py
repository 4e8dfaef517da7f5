"""The scenarios of `make soak`, small."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.rows.stand import Stand
from oyez.consumers.dev import Kafka, Postgres
from soak.deadly import deadly_events
from soak.killing import import_under_kills
from soak.memory import memory
from soak.outages import outages
from soak.outboxing import applications_and_drainers_killed
from soak.restarting import import_under_restarts
from soak.slow import OPTIONS, slow_handlers
from soak.spool_memory import spool_memory
from soak.spooling import announcers_killed
from soak.visits_outages import import_with_outages
from support.services import UNSAFE, fresh_database

QUICK = json.dumps({"session.timeout.ms": 2_000, "heartbeat.interval.ms": 500})
"""So that those who take over from the dead need not wait for long. Brokers allow no less than 6 s unless told to."""

STAGES = {"services": ("postgres", "kafka"), "files": ("sqlite", "")}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    """On Kafka and PostgreSQL, and on files and SQLite."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """A broker that may be killed, and whose groups may be impatient."""
    with Kafka(settings={"group.min.session.timeout.ms": "1000"}) as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server that may be killed."""
    with Postgres(settings=UNSAFE) as running:
        yield running


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    with fresh_database(server.url()) as made:
        yield made


def test_workers_are_killed_during_an_import(url: str, broker: Kafka, tmp_path: Path) -> None:
    size = {"views": 2_000, "kills": 20, "seconds": 12.0, "seed": 4}
    figures = import_under_kills(url, broker.bootstrap, tmp_path, **size, options=QUICK, tell=print)
    assert figures.holds, figures


def test_services_are_killed_during_an_import(
    url: str, broker: Kafka, server: Postgres, tmp_path: Path
) -> None:
    size = {"views": 1_500, "restarts": 1, "seconds": 4.0, "seed": 4}
    figures = import_under_restarts(broker, server, url, tmp_path, **size, tell=print)
    assert figures.holds, figures


def test_an_event_kills_whoever_handles_it(url: str, broker: Kafka, tmp_path: Path) -> None:
    with Stand(url, broker.bootstrap, tmp_path, kafka_options=QUICK) as till:
        figures = deadly_events(till, events=200, deadly=1, workers=3, seed=4, patience=120)
    assert figures.holds, figures


def test_handlers_are_slow(url: str, broker: Kafka, tmp_path: Path) -> None:
    with Stand(url, broker.bootstrap, tmp_path, partitions=2, kafka_options=json.dumps(OPTIONS)) as till:
        figures = slow_handlers(till, events=40, workers=2, seconds=0.6, patience=120)
    assert figures.holds, figures


def test_announcers_are_killed_while_their_spool_is_read(sqlite: str, tmp_path: Path) -> None:
    with Stand(sqlite, "", tmp_path) as till:
        figures = announcers_killed(till, rounds=4, seed=4)
    assert figures.holds, figures


def test_applications_that_announce_in_transactions_are_killed(
    stage: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database, kafka = STAGES[stage]
    address = request.getfixturevalue(kafka) if kafka else ""
    with Stand(request.getfixturevalue(database), address, tmp_path) as till:
        figures = applications_and_drainers_killed(till, rounds=2, seed=4)
    assert figures.holds, figures


def test_memory_is_flat_over_the_spool(sqlite: str, tmp_path: Path) -> None:
    with Stand(sqlite, "", tmp_path) as till:
        figures = spool_memory(till, events=60_000, patience=60)
    assert figures.holds, figures


def test_memory_is_flat(url: str, broker: Kafka, tmp_path: Path) -> None:
    with Stand(url, broker.bootstrap, tmp_path) as till:
        figures = memory(till, events=100_000, parked=5_000, patience=60, tell=print)
    assert figures.holds, figures


def test_the_broker_is_killed_and_frozen_while_servers_with_spools_announce(
    broker: Kafka, tmp_path: Path
) -> None:
    python_path = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
    size = {"grown": (10_000, 60_000), "rounds": 1, "seed": 4}
    figures = outages(broker, tmp_path, {**os.environ, "PYTHONPATH": python_path}, **size)
    print(figures)
    assert figures.holds, figures


def test_the_broker_is_killed_during_an_import(url: str, broker: Kafka, tmp_path: Path) -> None:
    size = {"views": 800, "outages": 1, "seconds": 10.0, "seed": 4}
    figures = import_with_outages(broker, url, tmp_path, **size, tell=print)
    assert figures.holds, figures
