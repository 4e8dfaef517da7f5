"""The scenarios of `make soak` in which an import, or announcers, are killed again and again, small."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.rows.running_app import RunningApp
from oyez.consumers.dev import Kafka, Postgres
from soak.impatience import QUICK
from soak.killing import import_under_kills
from soak.restarting import import_under_restarts
from soak.spooling import announcers_killed
from soak.visits_outages import import_with_outages

SHARED = ("OYEZ_PROCESSES", "3")
"""Groups that share three processes. In the full sizes each has its own, as in the other scenarios here."""


def test_workers_are_killed_during_an_import(url: str, broker: Kafka, tmp_path: Path) -> None:
    size = {"views": 2_000, "kills": 20, "seconds": 12.0, "seed": 4}
    figures = import_under_kills(url, broker.bootstrap, tmp_path, **size, options=QUICK, tell=print)
    assert figures.holds, figures


def test_services_are_killed_during_an_import(
    url: str, broker: Kafka, server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*SHARED)
    size = {"views": 1_500, "restarts": 1, "seconds": 4.0, "seed": 4}
    figures = import_under_restarts(broker, server, url, tmp_path, **size, tell=print)
    assert figures.holds, figures


def test_announcers_are_killed_while_their_spool_is_read(sqlite: str, tmp_path: Path) -> None:
    with RunningApp(sqlite, "", tmp_path) as scripted_app:
        figures = announcers_killed(scripted_app, rounds=4, seed=4)
    assert figures.holds, figures


def test_the_broker_is_killed_during_an_import(
    url: str, broker: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*SHARED)
    size = {"views": 800, "outages": 1, "seconds": 10.0, "seed": 4}
    figures = import_with_outages(broker, url, tmp_path, **size, tell=print)
    assert figures.holds, figures
