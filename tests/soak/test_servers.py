"""The scenarios of `make soak` with servers that announce, small."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from integration.rows.running_app import RunningApp
from oyez.consumers.dev import Kafka
from soak.collecting.scenario import APP, collecting
from soak.impatience import QUICK
from soak.outages import outages
from soak.servers import servers


@pytest.mark.timeout(300)
def test_servers_are_killed_reloaded_and_restarted(sqlite: str, tmp_path: Path) -> None:
    with RunningApp(sqlite, "", tmp_path) as scripted_app:
        figures = servers(scripted_app, requests=100, troubles=3, seed=4)
    assert figures.holds, figures


@pytest.mark.timeout(300)
@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root")
def test_collectors_their_broker_and_their_disk_fail(sqlite: str, tmp_path: Path) -> None:
    size = {"events": 4_000, "troubles": 8, "hold": 1.0, "pause": 0.5, "seed": 4}
    with (
        Kafka(settings={"group.min.session.timeout.ms": "1000"}) as broker,
        RunningApp(sqlite, broker.bootstrap, tmp_path, app=APP, kafka_options=QUICK) as app,
    ):
        figures = collecting(app, broker, **size)
    assert figures.holds, figures
    assert {"disk full", "collector killed", "broker killed"} <= figures.values.keys()


def test_the_broker_is_killed_and_frozen_while_servers_with_spools_announce(tmp_path: Path) -> None:
    python_path = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
    size = {"grown": (10_000, 60_000), "rounds": 1, "seed": 4}
    with Kafka() as broker:
        figures = outages(broker, tmp_path, {**os.environ, "PYTHONPATH": python_path}, **size)
    print(figures)
    assert figures.holds, figures
