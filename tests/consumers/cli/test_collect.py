"""`oyez collect`, as a process."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from consumers.cli.running import Running, Shop, one_line
from support.spooled import spooled
from support.waiting import eventually

KEYS = {"secret": {"sources": ["/erp"], "signals": ["cli.session.started"]}}
SEND = {"Authorization": "Bearer secret", "Content-Type": "application/cloudevents+json"}


@pytest.fixture
def collecting(spooled_shop: Shop) -> Shop:
    """The shop, which takes visits of another system."""
    return replace(spooled_shop, settings={**spooled_shop.settings, "OYEZ_COLLECT_KEYS": json.dumps(KEYS)})


def address(running: Running) -> str:
    found = eventually(lambda: re.search(r"http://\S+", running.said()))
    return found[0]


def started(name: str) -> dict[str, object]:
    envelope = {"specversion": "1.0", "type": "cli.session.started", "source": "/erp", "id": name}
    return {**envelope, "data": {"session_id": name}}


class Senders:
    """Clients that send one event after the other until nobody answers any more."""

    def __init__(self, at: str, threads: int) -> None:
        self._at = at
        self.stored: set[str] = set()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _send(self, thread: int) -> None:
        with httpx.Client(base_url=self._at, timeout=60) as client:
            for number in range(100_000):
                name = f"{thread}-{number}"
                try:
                    answer = client.post("/events", json=started(name), headers=SEND)
                except httpx.TransportError:
                    return
                if answer.status_code == 202:
                    self.stored.add(name)


def test_under_load_every_202_is_handled_once_after_sigterm(collecting: Shop, tmp_path: Path) -> None:
    collecting.print("db", "upgrade")
    with collecting.running("collect", "--port", "0") as running:
        senders = Senders(address(running), 8)
        eventually(lambda: len(senders.stored) > 200)
        assert running.end(signal.SIGTERM) == 0, running.said()
        senders.wait()
    assert "Traceback" not in running.said()
    kept = spooled(tmp_path)
    assert senders.stored <= kept.keys()
    done = collecting.run("sweep")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "oyez.db")) as database:
        assert database.execute("SELECT count(*) FROM noted").fetchone() == (len(kept),)


def test_killed_every_202_is_in_the_spool(collecting: Shop, tmp_path: Path) -> None:
    with collecting.running("collect", "--port", "0") as running:
        senders = Senders(address(running), 4)
        eventually(lambda: len(senders.stored) > 50)
        running.process.kill()
        senders.wait()
    assert senders.stored <= spooled(tmp_path).keys()


def test_a_trial_stores_nothing_and_shows_all(collecting: Shop, tmp_path: Path) -> None:
    with collecting.running("collect", "--port", "0", "--try") as running:
        with httpx.Client(base_url=address(running), timeout=60) as client:
            assert client.post("/events", json=started("a"), headers=SEND).status_code == 202
            wrong = {**started("b"), "data": {}}
            assert client.post("/events", json=wrong, headers=SEND).status_code == 422
            assert [one["id"] for one in client.get("/good").json()] == ["a"]
            assert [one["id"] for one in client.get("/bad").json()] == ["b"]
            assert client.post("/reset").status_code == 204
            assert client.get("/good").json() == client.get("/bad").json() == []
        assert running.end(signal.SIGINT) == 130
    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"OYEZ_COLLECT_KEYS": '{"k": {"sources": [], "signals": ["cli.none"]}}'},
            ["collect_keys", "cli.none"],
        ),
        ({"OYEZ_COLLECT_KEYS": "k"}, ["OYEZ_COLLECT_KEYS is not JSON", "sources"]),
        ({"OYEZ_COLLECT_SITES": '{"k": {"origin": []}}'}, ["collect_sites", "OYEZ_COLLECT_SITES"]),
        ({"OYEZ_TRANSPORT": "memory"}, ["memory stores nothing"]),
        ({"OYEZ_SPOOL_FSYNC": "never"}, ["interval or always"]),
        ({"OYEZ_COLLECT_HOST": "192.0.2.1"}, ["cannot listen on 192.0.2.1", "choose another"]),
        ({"OYEZ_COLLECT_PROXIES": '["nginx"]'}, ["collect_proxies", "nginx"]),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(
    settings: dict[str, str], words: list[str], collecting: Shop
) -> None:
    one_line(collecting.run("collect", "--port", "0", **settings), 2, *words)
