"""What is printed as JSON is JSON, also of events with numbers that JSON does not have: other producers write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.cli.conftest import Invoke
from consumers.cli.test_spool import deployment, printed, visit
from oyez.consumers.cli.common import output

__all__ = ["deployment"]
ITS = {"session_id": "s1", "url": ["Infinity", "-Infinity"], "ratio": "NaN"}


@pytest.fixture
def foreign(deployment: Invoke, tmp_path: Path) -> Invoke:
    """A spool with an event of such numbers; it cannot be decoded, and is a dead letter."""
    visit(deployment, "s1", "/a")
    (file,) = (tmp_path / "spool").rglob("*.ndjson")
    line = {
        "specversion": "1.0",
        "type": "cli.page.viewed",
        "source": "php",
        "id": "nan1",
        "time": "2026-11-30T12:00:00Z",
        "partitionkey": "s1",
        "data": {**ITS, "url": [float("inf"), float("-inf")], "ratio": float("nan")},
    }
    with file.open("a") as spool:
        spool.write(f"{json.dumps(line)}\n")
    printed(deployment, "sweep")
    return deployment


def strictly(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def test_events_that_pass(foreign: Invoke) -> None:
    lines = printed(foreign, "tail", "--json", "--no-follow", "--from-beginning").splitlines()
    assert [strictly(line)["data"] for line in lines][-1] == ITS


def test_what_is_exported(foreign: Invoke) -> None:
    found = [strictly(line) for line in printed(foreign, "export", "s1").splitlines()]
    assert any(ITS in (one, one.get("data"), one.get("event", {}).get("data")) for one in found), found


def test_a_dead_letter(foreign: Invoke) -> None:
    (row,) = strictly(printed(foreign, "dead", "list", "--json"))
    (shown,) = strictly(printed(foreign, "dead", "show", row["event_id"], "--json"))
    assert shown["event"]["data"] == ITS
    assert '"ratio": "NaN"' in printed(foreign, "dead", "show", row["event_id"])


def test_all_else_is_as_it_was() -> None:
    whole = {"a": [1, 1.5, None, True, "NaN"], "b": {"c": 1e308}}
    assert json.loads(output.json_text(whole)) == whole
    assert strictly(output.json_text((float("nan"), {"d": float("-inf")}))) == ["NaN", {"d": "-Infinity"}]
