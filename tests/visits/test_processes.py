"""The processes of an import: what ended too soon says why, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from visits import processes
from visits.driver import _check
from visits.errors import VisitsError
from visits.processes import Child
from visits.work import Work, write_steps


def child(folder: Path, name: str, program: str) -> Child:
    """A child that runs this."""
    return Child(name, [sys.executable, "-c", program], folder / f"{name}.log", {})


def wait_for(ended: Child) -> None:
    """Wait until a child has ended by itself."""
    ended._process.wait(30)


def test_a_server_without_its_lines_says_so(tmp_path: Path) -> None:
    with processes.ended_together() as children:
        server = processes.server(tmp_path, "web-9", 0, 0, {})
        children.append(server)
        with pytest.raises(VisitsError, match=r"web-9 ended with status 1: .*dealt-web-9.jsonl.*web-9.log"):
            server.wait_until_ready()


def test_a_server_that_is_never_told_to_begin_announces_nothing(tmp_path: Path) -> None:
    write_steps(Work(tmp_path).dealt("web-0"), [])
    with processes.ended_together() as children:
        server = processes.server(tmp_path, "web-0", 0, 0, {"OYEZ_TRANSPORT": "memory"})
        children.append(server)
        server.wait_until_ready()
    assert not server.runs
    assert Work(tmp_path).announced("web-0").read_text() == ""


def test_one_worker_that_is_left_is_enough(tmp_path: Path) -> None:
    with processes.ended_together() as children:
        lasting = child(tmp_path, "lasting", "import time; time.sleep(600)")
        failing = child(tmp_path, "failing", "import sys; sys.exit('no broker')")
        children += [lasting, failing]
        wait_for(failing)
        _check([lasting, failing])
        with pytest.raises(VisitsError, match="failing ended with status 1: no broker"):
            _check([failing])
    assert not lasting.runs


def test_what_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    program = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    deaf = Child("deaf", [sys.executable, "-c", program], tmp_path / "deaf.log", {}, stdout=subprocess.PIPE)
    out = deaf._process.stdout
    assert out is not None
    with processes.ended_together() as children, out:
        children.append(deaf)
        assert out.readline() == "deaf\n"
    assert not deaf.runs
