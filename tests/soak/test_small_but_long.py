"""The scenarios of `make soak` that take long even when they are small."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.rows.running_app import RunningApp
from oyez.consumers.dev import Kafka, Postgres
from soak.chaos.scenario import Size
from soak.chaos.setting import chaos
from soak.lanes import IMPATIENT, in_lanes
from soak.lanes_in_memory import in_lanes_in_memory
from soak.memory import memory
from soak.spool_memory import spool_memory


@pytest.mark.timeout(300)
def test_all_troubles_at_once(broker: Kafka, tmp_path: Path) -> None:
    size = Size(events=1_500, seconds=25.0, rounds=1, deaths=0, hold=2.0, timeout=180.0)
    figures = chaos(broker, tmp_path, size, seed=4, tell=print)
    assert figures.holds, figures


def test_lanes_in_trouble(url: str, server: Postgres, tmp_path: Path) -> None:
    troubles = {"kill": 4, "freeze": 1, "restart": 1}
    with RunningApp(url, "", tmp_path, **IMPATIENT) as app:
        size = {"events": 400, "keys": 20, "troubles": troubles, "seconds": 8.0, "seed": 4, "timeout": 120.0}
        figures = in_lanes(app, server, **size, tell=print)
    assert figures.holds, figures


def test_lanes_in_memory_in_trouble(sqlite: str, tmp_path: Path) -> None:
    with RunningApp(sqlite, "", tmp_path) as app:
        size = {"events": 600, "keys": 20, "kills": 4, "seconds": 3.0, "seed": 4, "timeout": 120.0}
        figures = in_lanes_in_memory(app, **size, tell=print)
    assert figures.holds, figures


def test_memory_is_flat_over_the_spool(sqlite: str, tmp_path: Path) -> None:
    with RunningApp(sqlite, "", tmp_path) as scripted_app:
        figures = spool_memory(scripted_app, events=60_000, timeout=60)
    assert figures.holds, figures


def test_memory_is_flat(url: str, broker: Kafka, tmp_path: Path) -> None:
    with RunningApp(url, broker.bootstrap, tmp_path) as scripted_app:
        figures = memory(scripted_app, events=100_000, parked=5_000, timeout=60, tell=print)
    assert figures.holds, figures
