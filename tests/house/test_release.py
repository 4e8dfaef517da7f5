"""What a release says of itself is the same everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from house.imports import HOME
from house.test_dependencies import PROJECT

VERSION: str = PROJECT["version"]
SECTION = re.compile(r"^## (?P<version>\S+)(?: - (?P<date>\S+))?$", re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_changelogs_newest_section_is_the_version() -> None:
    first, *released = SECTION.finditer((HOME / "CHANGELOG.md").read_text())
    assert first["version"] == "Unreleased"
    assert released[0]["version"] == VERSION
    assert all(date.fromisoformat(section["date"]) for section in released)


def test_the_changelog_keeps_to_its_format() -> None:
    kinds = re.findall(r"^### (.*)$", (HOME / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert set(kinds) <= KINDS


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("Dockerfile", r"^ARG VERSION=(\S+)$"),
        ("deploy/kubernetes/migrate.yaml", r"oyez-visits:(\S+)"),
        ("deploy/kubernetes/page-viewed.yaml", r"oyez-visits:(\S+)"),
        ("docs/deploying.md", r"oyez-visits:([0-9.]+)`"),
    ],
)
def test_no_file_has_another_version(file: str, pattern: str) -> None:
    assert set(re.findall(pattern, (HOME / file).read_text(), re.MULTILINE)) == {VERSION}


def test_nothing_that_is_committed_is_ignored() -> None:
    """The sdist leaves out what git ignores, whether it is committed or not."""
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    found = subprocess.run(command, cwd=HOME, capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout == ""


def test_what_is_not_committed_is_not_released(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(HOME / "tools" / "release-check", tmp_path / "tools")
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "new.py").touch()
    done = subprocess.run(
        [tmp_path / "tools" / "release-check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "release-check: not committed: new.py: commit it, or put it aside (git stash)\n"
