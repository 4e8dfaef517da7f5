"""Where the files of tests are."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from support import in_memory
from support.in_memory import files_in_memory, has_room


@pytest.fixture(autouse=True)
def found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())


def test_they_are_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_memory, "ENOUGH", 0)
    environment: dict[str, str] = {}
    files_in_memory(environment, tmp_path)
    assert environment == {"TMPDIR": str(tmp_path)}


def test_they_stay_where_they_are_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_memory, "ENOUGH", 0)
    environment = {"TMPDIR": "/elsewhere"}
    files_in_memory(environment, tmp_path)
    assert environment == {"TMPDIR": "/elsewhere"}


@pytest.mark.parametrize("place", ["nowhere", "/proc"])
def test_they_are_on_a_disk_where_memory_has_no_room(place: str, tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    files_in_memory(environment, tmp_path / place)
    assert environment == {}


def test_a_disk_that_is_nearly_full_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_memory, "ENOUGH", 1 << 62)
    assert not has_room(tmp_path)
