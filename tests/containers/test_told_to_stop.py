"""Who is told to stop leaves nothing behind on an engine that stays."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from containers import engine
from containers.errors import CannotBeHad
from support.processes import ROOT
from support.waiting import eventually

DOCKER = """#!/bin/sh
echo "$@" >> "$0.log"
case "$*" in *" up "*) exec sleep 60 ;; esac
"""
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
INSIDE = {
    "an engine": [
        sys.executable,
        "-m",
        "containers.engine",
        "sh",
        "-c",
        "trap 'exit 143' TERM; \"$@\"; true",
        "sh",
    ],
    "nothing": [],
}


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize(
    "command",
    [[*PYTEST, "tests/compose/test_up.py"], [sys.executable, "-m", "compose.integration"]],
    ids=["tests", "integration"],
)
def test_what_was_brought_up_is_taken_down(tmp_path: Path, inside: str, command: list[str]) -> None:
    """With a script in the place of `docker`, which takes long to bring something up."""
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    log = tmp_path / "docker.log"
    log.touch()
    env = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT.parent / "examples")]),
        "COMPOSE_TESTS": "inside",
    }
    running = subprocess.Popen([*INSIDE[inside], *command], cwd=ROOT.parent, env=env)
    try:
        eventually(lambda: " up " in log.read_text())
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) != 0
        assert " down --volumes" in log.read_text()
    finally:
        running.kill()
        running.wait()


def test_there_is_time_to_take_down() -> None:
    asked = ["make", "--dry-run", "test-compose"]
    said = subprocess.run(asked, cwd=ROOT.parent, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in said.splitlines() if "tools/test-compose" in line]
    found = re.search(r"--kill-after=(\d+)", line)
    assert found
    assert int(found[1]) > engine.ENDING_SECONDS


def test_no_engine_is_started_beside_another_one(tmp_path: Path) -> None:
    """A process of that name in the place of an engine that does not answer."""
    program = shutil.copy(shutil.which("sleep") or "", tmp_path / "dockerd")
    other = subprocess.Popen([program, "60"])
    try:
        with pytest.raises(CannotBeHad, match=r"another Docker engine \(process \d+\) runs here"):
            engine.wait_until_alone(0.0)
    finally:
        other.kill()
        other.wait()
