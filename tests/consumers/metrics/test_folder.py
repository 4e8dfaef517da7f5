"""A folder that is given: each run has one of its own below it, and what runs have left that were killed is removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import values

from oyez.consumers.instrumentation import events
from oyez.consumers.metrics.endpoint import Files
from oyez.consumers.metrics.multiprocess_files import FOLDER, folder
from oyez.consumers.metrics.prometheus import Metrics

RUN = """
import os, signal, sys
from oyez.consumers.instrumentation import events
from oyez.consumers.metrics.multiprocess_files import folder
with folder() as made:
    made.identity.become(0)
    from oyez.consumers.metrics.prometheus import Metrics
    metrics = Metrics()
    metrics.receive(events.WorkerStarted("a"))
    metrics.receive(events.DatabaseLost("a", "away"))
    print("counted", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv(FOLDER, str(tmp_path / "metrics"))
    return tmp_path / "metrics"


def another(given: Path) -> subprocess.Popen[str]:
    """A run of another process, which has counted."""
    env = {**os.environ, FOLDER: str(given)}
    begun = subprocess.Popen(
        [sys.executable, "-c", RUN], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert begun.stdout is not None
    assert begun.stdout.readline() == "counted\n"
    return begun


def counted() -> dict[str, float]:
    """What a run of this process says of itself, once it has counted the same."""
    with folder() as made:
        made.identity.become(0)
        metrics = Metrics()
        metrics.receive(events.WorkerStarted("a"))
        metrics.receive(events.DatabaseLost("a", "away"))
        found = {sample.name: sample.value for one in Files(made.path).collect() for sample in one.samples}
    return {name: found[name] for name in ("oyez_workers", "oyez_database_losses_total")}


def test_one_that_was_killed_counts_no_more(given: Path) -> None:
    with another(given) as killed:
        killed.send_signal(signal.SIGKILL)
    (given / "of-somebody-else").mkdir()
    assert counted() == {"oyez_workers": 1, "oyez_database_losses_total": 1}
    assert [one.name for one in given.iterdir()] == ["of-somebody-else"]
    assert os.environ[FOLDER] == str(given)


def test_one_that_runs_has_its_own(given: Path) -> None:
    with another(given) as running:
        assert counted() == {"oyez_workers": 1, "oyez_database_losses_total": 1}
        assert len([*given.glob("*/*.db")]) > 0
        running.communicate("")
        assert running.returncode == 0
    assert [*given.iterdir()] == []
