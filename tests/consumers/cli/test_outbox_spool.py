"""Handlers that announce, on the spool: one sweep handles what was announced, and what that announces."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from consumers.cli.running import Shop
from consumers.cli.test_outbox import backlog, noted


@pytest.fixture
def relay(sqlite: str, tmp_path: Path) -> Shop:
    made = Shop(tmp_path, {"OYEZ_APP": "relay:on", "OYEZ_TRANSPORT": "spool", "OYEZ_DATABASE": sqlite})
    made.print("db", "upgrade")
    return made


def test_one_sweep_handles_what_handlers_announce_too(relay: Shop) -> None:
    relay.print("announce", "relay.placed", given='{"order": "o1"}\n{"order": "o2"}')
    relay.print("sweep")
    assert (sorted(noted(relay.folder)), backlog(relay)) == (["o1", "o2"], 0)


def test_beside_copied_folders_its_own_one_is_read(relay: Shop) -> None:
    relay.print("announce", "relay.placed", given='{"order": "o1"}')
    shutil.move(relay.folder / "spool", relay.folder / "copied")
    relay.print("sweep", "--spool", "copied")
    assert (noted(relay.folder), backlog(relay)) == (["o1"], 0)


def test_a_bounded_pass_lets_leave_what_it_announced(relay: Shop) -> None:
    relay.print("announce", "relay.placed", given='{"order": "o1"}')
    relay.print("listen", "relay.placed", "--limit", "10")
    assert (noted(relay.folder), backlog(relay)) == ([], 0)
    relay.print("listen", "--limit", "10")
    assert noted(relay.folder) == ["o1"]
