"""No file is long."""

from __future__ import annotations

import pytest

from house.imports import HOME
from house.order import ROOTS

MOST_LINES = 300


def folders() -> list[str]:
    """Where Python files are written: none that is hidden, and none that a build has made."""
    found = [folder.name for folder in HOME.iterdir() if folder.is_dir() and folder.name[0] != "."]
    return sorted(
        name for name in found if name not in {"build", "dist", "site"} and any((HOME / name).rglob("*.py"))
    )


@pytest.mark.parametrize("folder", folders())
def test_no_file_is_long(folder: str) -> None:
    lengths = {
        str(source.relative_to(HOME)): len(source.read_text().splitlines())
        for source in (HOME / folder).rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_folder_is_left_out() -> None:
    assert {*ROOTS, "benchmarks", "examples", "tests"} <= set(folders())
    assert list(HOME.glob("*.py")) == []
