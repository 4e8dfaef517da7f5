"""The scenarios of `make soak`, small; those that take longer stand in test_small_but_long.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.rows.running_app import RunningApp
from oyez.consumers.dev import Kafka
from soak.impatience import QUICK
from soak.outbox import applications_and_drainers_killed
from soak.poison import poison_events
from soak.slow import OPTIONS, slow_handlers

PIPELINES = {"services": ("postgres", "kafka"), "files": ("sqlite", "")}


@pytest.fixture(params=PIPELINES)
def pipeline(request: pytest.FixtureRequest) -> str:
    """On Kafka and PostgreSQL, and on files and SQLite."""
    name: str = request.param
    return name


def test_an_event_kills_whoever_handles_it(url: str, broker: Kafka, tmp_path: Path) -> None:
    with RunningApp(url, broker.bootstrap, tmp_path, kafka_options=QUICK) as scripted_app:
        figures = poison_events(scripted_app, events=200, poison=1, workers=3, seed=4, timeout=120)
    assert figures.holds, figures


def test_handlers_are_slow(url: str, broker: Kafka, tmp_path: Path) -> None:
    with RunningApp(
        url, broker.bootstrap, tmp_path, partitions=2, kafka_options=json.dumps(OPTIONS)
    ) as scripted_app:
        figures = slow_handlers(scripted_app, events=40, workers=2, seconds=0.6, timeout=120)
    assert figures.holds, figures


def test_applications_that_announce_in_transactions_are_killed(
    pipeline: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database, kafka = PIPELINES[pipeline]
    address = request.getfixturevalue(kafka) if kafka else ""
    with RunningApp(request.getfixturevalue(database), address, tmp_path) as scripted_app:
        figures = applications_and_drainers_killed(scripted_app, rounds=2, seed=4)
    assert figures.holds, figures
