"""What is said where there can be no engine, and what covers up nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from containers import stand_ins
from containers.errors import UNAVAILABLE, CannotBeHad, Refused
from support.processes import ROOT

SCRIPT = """#!/bin/sh
case "$1" in
image) exit 1 ;;
build) echo "unknown instruction" >&2; exit 1 ;;
pull) echo "Error response from daemon: {answer}" >&2; exit 1 ;;
esac
"""


def test_it_says_why_not_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "containers.engine", "true"],
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 69
    assert done.stderr.startswith("docker-engine: no Docker engine answers")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def scripted_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in the place of `docker`, which has no image and cannot pull one."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "docker"


def test_a_stand_in_is_made_where_the_registry_is_away(scripted_docker: Path) -> None:
    answers(scripted_docker, "dial tcp: lookup registry on 10.0.0.1:53: no such host")
    made: list[str] = []
    assert stand_ins.get("some:1", made.append) == "stand-in"
    assert made == [""]


def test_what_the_registry_itself_answers_is_an_error(scripted_docker: Path) -> None:
    answers(scripted_docker, "manifest for some:1 not found: manifest unknown")
    made: list[str] = []
    with pytest.raises(Refused, match=r"some:1 cannot be pulled: .*manifest unknown"):
        stand_ins.get("some:1", made.append)
    assert made == []


def test_one_that_cannot_be_made_either_is_said(
    scripted_docker: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(_: str) -> None:
        raise CannotBeHad("debootstrap has failed: no network")

    answers(scripted_docker, "no such host")
    monkeypatch.setattr(stand_ins, "MAKERS", {"some:1": make})
    assert stand_ins.main() == UNAVAILABLE
    assert capsys.readouterr().err == "stand-in-images: debootstrap has failed: no network\n"


def test_a_recipe_that_fails_is_no_machine_that_lacks_something(
    scripted_docker: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else a run that tests nothing would pass."""
    answers(scripted_docker, "no such host")
    recipe = tmp_path / "recipe"
    recipe.mkdir()
    make = partial(stand_ins._make_above, "some:1", recipe=recipe, files={})
    monkeypatch.setattr(stand_ins, "MAKERS", {"some:1": make})
    assert stand_ins.main() == 1
    assert (
        capsys.readouterr().err.splitlines()[-1] == "stand-in-images: docker has failed: unknown instruction"
    )


def answers(script: Path, answer: str) -> None:
    script.write_text(SCRIPT.format(answer=answer))
    script.chmod(0o755)
