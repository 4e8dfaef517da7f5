"""`oyez outbox relay`, `oyez outbox status`, and who else ships: `listen`, `sweep`, `status` says it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from consumers.cli.conftest import Invoke
from consumers.cli.running import Shop
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Catalogue, Signal
from support.waiting import eventually

NOWHERE = "127.0.0.1:1"
known = Catalogue()


class Placed(Signal, name="relay.placed", key="order", catalogue=known):
    order: str


def place(folder: Path, topic: str, orders: Sequence[str], database: str | None = None) -> None:
    """Announce in a transaction of an application's own."""
    engine = create_engine(database or f"sqlite:///{folder}/oyez.db")
    announcer = Announcer(MemoryTransport(MemoryBroker()), source="web-1", topic=topic, catalogue=known)
    with engine.begin() as db:
        for order in orders:
            announcer.announce(Placed(order=order), db=db)
    announcer.close()
    engine.dispose()


def noted(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "oyez.db") as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'noted'").fetchone():
            return []
        return [what for (what,) in db.execute("SELECT what FROM noted")]


@pytest.fixture
def relay(shop: Shop) -> Shop:
    """The relay on a real Kafka, with tables."""
    made = Shop(shop.folder, {**shop.settings, "OYEZ_APP": "relay:on", "OYEZ_TRANSPORT": "kafka"})
    made.print("db", "upgrade")
    return made


def test_without_tables_one_line_says_what_to_do(refused: Callable[..., None]) -> None:
    refused(["outbox", "relay"], 1, "does not exist; run: oyez db upgrade")
    refused(["outbox", "status"], 1, "does not exist; run: oyez db upgrade")


def test_status_and_relay(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_TRANSPORT", "spool")
    invoke("db", "upgrade")
    empty = {"backlog": 0, "oldest": None, "refused": 0, "error": None, "failed_at": None, "relay": None}
    assert json.loads(invoke("outbox", "status", "--json").stdout) == [empty]
    place(tmp_path, "relayed", ["a", "b", "c"])
    (state,) = json.loads(invoke("outbox", "status", "--json").stdout)
    assert (state["backlog"], state["oldest"] >= 0) == (3, True)
    assert re.match(r"3\t\d+ s\t0\t-\t-\t-", invoke("outbox", "status").stdout.splitlines()[1])
    relayed = invoke("outbox", "relay", "--limit", "2")
    assert (relayed.exit_code, relayed.stdout) == (0, "")
    assert relayed.stderr.splitlines()[-2:] == [
        "oyez: 2 events left the outbox",
        "oyez: 1 event waits for the next time: --limit was reached",
    ]
    assert invoke("outbox", "relay").stderr.splitlines()[-1] == "oyez: 1 event left the outbox"
    assert invoke("outbox", "relay").stderr.splitlines()[-1] == "oyez: 0 events left the outbox"
    (segment,) = (tmp_path / "spool" / "relayed").glob("*.ndjson")
    assert [json.loads(line)["partitionkey"] for line in segment.open()] == ["a", "b", "c"]


def test_nothing_is_drained_into_the_memory_of_a_process_that_ends(
    invoke: Invoke, refused: Callable[..., None], tmp_path: Path
) -> None:
    invoke("db", "upgrade")
    place(tmp_path, "relayed", ["a"])
    refused(["outbox", "relay"], 2, "transport memory (OYEZ_TRANSPORT) ends with this process")
    swept = invoke("sweep")
    assert swept.exit_code == 1
    assert "the outbox is held up: transport memory" in swept.stderr
    assert json.loads(invoke("outbox", "status", "--json").stdout)[0]["backlog"] == 1


def test_a_broker_that_is_away(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {"APP": "relay:on", "TRANSPORT": "kafka", "KAFKA": NOWHERE, "ANNOUNCE_TIMEOUT": "0.3"}
    for name, value in away.items():
        monkeypatch.setenv(f"OYEZ_{name}", value)
    invoke("db", "upgrade")
    place(tmp_path, "relayed", ["a"])
    relayed = invoke("outbox", "relay")
    assert relayed.exit_code == 1
    first, second = relayed.stderr.splitlines()[-2:]
    assert first == "oyez: 0 events left the outbox"
    assert second.startswith(f"oyez: 1 stay: the broker at {NOWHERE} is away")
    (state,) = json.loads(invoke("outbox", "status", "--json").stdout)
    assert "is away" in state["error"]
    assert state["failed_at"] is not None
    (known_of, *_) = json.loads(invoke("status", "--json", "--no-lag").stdout)
    assert (known_of["outbox"], known_of["outbox_oldest"] > 0) == (1, True)
    assert "outbox\t1\n" in invoke("status", "--no-lag").stdout
    swept = invoke("sweep", "--json")
    assert swept.exit_code == 1
    assert len(json.loads(swept.stdout)) == 2, "it has swept all the same"
    assert "the outbox is held up: the broker" in swept.stderr
    monkeypatch.setenv("OYEZ_TRANSPORT", "spool")
    assert invoke("sweep").exit_code == 0
    (state,) = json.loads(invoke("outbox", "status", "--json").stdout)
    assert (state["backlog"], state["error"]) == (0, None)


def test_relay_goes_on_until_it_is_told_to_stop(relay: Shop) -> None:
    with relay.running("outbox", "relay", "--every", "0.1") as relaying:
        eventually(lambda: "relaying the outbox" in relaying.said())
        for order in ("a", "b"):
            place(relay.folder, relay.settings["OYEZ_TOPIC"], [order])
            eventually(lambda: backlog(relay) == 0)
        assert relaying.end(signal.SIGTERM) == 0
        left = re.findall(r"(\d+) events? left the outbox", relaying.said())
        assert sum(map(int, left)) == 2
        assert "Traceback" not in relaying.said()


def backlog(shop: Shop) -> Any:
    with sqlite3.connect(shop.folder / "oyez.db") as db:
        return db.execute("SELECT count(*) FROM oyez_outbox").fetchone()[0]


def test_workers_ship_what_handlers_and_applications_announce(relay: Shop) -> None:
    with relay.running("listen") as listening:
        relay.print("announce", "relay.placed", "-d", '{"order": "o1"}')
        eventually(lambda: noted(relay.folder) == ["o1"], 60)
        place(relay.folder, relay.settings["OYEZ_TOPIC"], ["o2", "o3"])
        eventually(lambda: sorted(noted(relay.folder)) == ["o1", "o2", "o3"], 60)
        eventually(lambda: backlog(relay) == 0, 60)
        assert listening.end(signal.SIGTERM) == 0
        assert "Traceback" not in listening.said()


def test_a_sweep_handles_what_was_announced_inline(relay: Shop) -> None:
    inline = Shop(relay.folder, {**relay.settings, "OYEZ_TRANSPORT": "inline"})
    place(relay.folder, "any", ["o1"])
    inline.print("sweep")
    assert (noted(relay.folder), backlog(relay)) == (["o1"], 0)
