"""`oyez scheduled list` and `cancel`, as they are used."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumers.cli.running import Shop
from consumers.outbox.outbox_pipeline import Sailed, known
from oyez.consumers.cli.commands.scheduled import COLUMNS
from oyez.consumers.cli.common import output
from oyez.consumers.database import make_engine
from oyez.consumers.reports.scheduled import ScheduledEvent
from oyez.producers import Announcer, MemoryBroker, MemoryTransport


@pytest.fixture
def later(tmp_path: Path) -> Shop:
    """A shop without a log, with three scheduled events: in an hour, in two, in three."""
    settings = {"OYEZ_APP": "shop:on", "OYEZ_DATABASE": f"sqlite:///{tmp_path / 'oyez.db'}"}
    shop = Shop(tmp_path, settings)
    shop.print("db", "upgrade")
    engine = make_engine(shop.settings["OYEZ_DATABASE"])
    transport = MemoryTransport(MemoryBroker())
    with Announcer(transport, source="web", catalogue=known) as announcer, engine.begin() as db:
        for n in range(3):
            announcer.announce(Sailed(k=f"k{n}", n=n), db=db, after=timedelta(hours=n + 1))
    engine.dispose()
    return shop


def keys(shop: Shop, *options: str) -> list[str]:
    return [row["key"] for row in json.loads(shop.print("scheduled", "list", "--json", *options))]


def test_the_next_is_listed_first_and_filters_choose(later: Shop) -> None:
    assert keys(later) == ["k0", "k1", "k2"]
    assert keys(later, "--key", "k1") == ["k1"]
    assert keys(later, "--until", "90m") == ["k0"]
    two = (datetime.now(UTC) + timedelta(minutes=150)).isoformat()
    assert keys(later, "--until", two) == ["k0", "k1"]
    assert keys(later, "--source", "elsewhere") == []


def test_a_dry_run_cancels_nothing_and_a_cancellation_says_how_many(later: Shop) -> None:
    dry = json.loads(later.print("scheduled", "cancel", "--key", "k1", "--dry-run", "--json"))
    assert (dry, keys(later)) == ([{"matched": 1}], ["k0", "k1", "k2"])
    done = json.loads(later.print("scheduled", "cancel", "--key", "k1", "--yes", "--json"))
    assert (done, keys(later)) == ([{"matched": 1, "canceled": 1}], ["k0", "k2"])


@pytest.mark.parametrize("command", ["list", "cancel"])
@pytest.mark.parametrize("until", ["soon", "2026-13-01", "-5m"])
def test_a_moment_that_is_none_is_refused_in_one_line(later: Shop, command: str, until: str) -> None:
    done = later.run("scheduled", command, f"--until={until}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "--until" in done.stderr
    assert keys(later) == ["k0", "k1", "k2"]


@pytest.mark.parametrize("width", [90, 100, 140])
def test_what_is_copied_is_in_one_piece_on_a_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, event = "customer-1@mail.example.org", "019325f0-3a53-7000-8000-000000000001"
    hour = datetime.now(UTC) + timedelta(hours=1)
    row = ScheduledEvent(1, hour, "order.placed", "web-1.example.org", event, "t", key, "order-1", hour, None)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    output.table([row], COLUMNS, empty="")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if event in line]
    assert {"order.placed", key, event} <= set(line.split())
