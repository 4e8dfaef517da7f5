"""`oyez rewind` where offsets count bytes: it goes on where an event begins, and says bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consumers.cli.conftest import Invoke
from consumers.cli.test_spool import deployment, printed, swept, visit

__all__ = ["deployment"]
VIEWS = "cli.page.viewed"


@pytest.fixture
def begins(deployment: Invoke, tmp_path: Path) -> list[int]:
    """Where the three events of a spool begin that every group has read, and where the last one ends."""
    visit(deployment, "s1", "/a", "/b")
    swept(deployment)
    (file,) = (tmp_path / "spool").rglob("*.ndjson")
    found = [0]
    for line in file.read_bytes().splitlines(keepends=True):
        found.append(found[-1] + len(line))
    return found


def position(deployment: Invoke) -> int:
    states = json.loads(printed(deployment, "status", "--json"))
    (at,) = (one["partitions"][0]["position"] for one in states if one["group"].endswith(VIEWS))
    assert isinstance(at, int)
    return at


@pytest.mark.parametrize("dry", [["--yes"], ["--dry-run"]])
def test_the_middle_of_a_line_is_refused(deployment: Invoke, begins: list[int], dry: list[str]) -> None:
    for at in (begins[1] + 1, begins[2] - 1, begins[3] - 1):
        refused = deployment("rewind", VIEWS, "--to", str(at), *dry)
        assert refused.exit_code == 2, refused.output
        assert f"--to {at}: " in refused.stderr
        assert "no event begins" in refused.stderr
        assert "nothing was changed" in refused.stderr
        assert position(deployment) == begins[-1]


def test_where_an_event_begins_is_taken(deployment: Invoke, begins: list[int]) -> None:
    for at in begins:
        printed(deployment, "rewind", VIEWS, "--to", str(at), "--yes")
        assert position(deployment) == at


def test_a_segment_begins_with_an_event(deployment: Invoke, begins: list[int], tmp_path: Path) -> None:
    """Also where what is before it has no line feed, or is not there any more."""
    (file,) = (tmp_path / "spool").rglob("*.ndjson")
    with file.open("ab") as spool:
        spool.write(b'{"cut')
    file.chmod(0o400)
    visit(deployment, "s2", "/c")
    old, new = sorted((tmp_path / "spool").rglob("*.ndjson"))
    base = old.stat().st_size
    for removed in (False, True):
        if removed:
            old.unlink()
        printed(deployment, "rewind", VIEWS, "--to", str(base), "--yes")
        refused = deployment("rewind", VIEWS, "--to", str(base + 1), "--yes")
        assert "no event begins" in refused.stderr
        assert position(deployment) == base
    assert new.stat().st_size


def test_bytes_are_no_records(deployment: Invoke, begins: list[int]) -> None:
    size = begins[-1]
    dry = deployment("rewind", VIEWS, "--to", "earliest", "--dry-run")
    assert f"of up to {size} bytes that are read again" in dry.stderr
    doubled = deployment("rewind", VIEWS, "--to", "earliest", "--again", "--yes")
    assert f"--again: up to {size} bytes that were handled before" in doubled.stderr
    skipping = deployment("rewind", VIEWS, "--to", "latest", "--yes")
    assert f"up to {size} bytes are skipped" in skipping.stderr
    asked = deployment("rewind", VIEWS, "--to", "earliest")
    assert f"reads {size} bytes again and skips nothing" in asked.stderr
