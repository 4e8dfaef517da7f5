"""`make release-check` on a clone: `make test-long` runs it, since it fetches packages and builds twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from house.imports import HOME


def release_check(clone: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable}
    command = [clone / "tools" / "release-check"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    subprocess.run(["git", "clone", "-q", str(HOME), str(tmp_path / "clone")], check=True, timeout=60)
    return tmp_path / "clone"


def commit(clone: Path) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, "commit", "-qam", "A change"], cwd=clone, check=True, timeout=60)


@pytest.mark.timeout(900)
def test_what_is_committed_can_be_released(clone: Path) -> None:
    done = release_check(clone)
    assert (done.returncode, done.stderr) == (0, "")
    built = {path.name for path in (clone / "dist").iterdir()}
    assert len(built) == 2
    assert all(name in done.stdout for name in built)


@pytest.mark.timeout(900)
def test_a_wheel_without_templates_is_refused(clone: Path) -> None:
    project = clone / "pyproject.toml"
    changed = project.read_text().replace(
        "[tool.hatch.build.targets.wheel]", '[tool.hatch.build.targets.wheel]\nexclude = ["*.html"]'
    )
    project.write_text(changed)
    commit(clone)
    done = release_check(clone)
    assert done.returncode == 1
    assert "oyez/consumers/dashboard/templates/base.html is missing" in done.stderr
    assert not (clone / "dist").exists()
