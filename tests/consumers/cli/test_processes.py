"""Whole commands as processes of their own, on a real Kafka and real databases."""

import json
import os
import signal
import sqlite3
import subprocess
from typing import Any

import pytest
from sqlalchemy import create_engine, func, make_url, select

from consumers.cli.running import OYEZ, Shop, one_line
from oyez.consumers.database.tables import parked as parked_table
from oyez.consumers.logs.kafka import probe
from support.tables import knowing_the_tables
from support.waiting import eventually

NOWHERE = "127.0.0.1:1"
PARKED = ("waiting", "behind", "due", "paused", "for_lane", "in_lane")
PAGE = '{"session_id": "s1", "url": "/a"}'
NOTHING = {"handled": 0, "parked": 0, "released": 0, "dead": 0, "revived": 0, "expired": 0}


def status(shop: Shop) -> dict[str, dict[str, Any]]:
    return {
        one["group"].removeprefix("clishop.cli."): one for one in json.loads(shop.print("status", "--json"))
    }


def parked(shop: Shop) -> int:
    engine = knowing_the_tables(create_engine(shop.settings["OYEZ_DATABASE"]))
    with engine.connect() as db:
        found: int = db.execute(select(func.count()).select_from(parked_table)).scalar_one()
    engine.dispose()
    return found


def noted(shop: Shop) -> list[str]:
    with sqlite3.connect(shop.folder / "oyez.db") as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'noted'").fetchone():
            return []
        return [what for (what,) in db.execute("SELECT what FROM noted")]


def test_from_the_announcement_to_the_end(shop: Shop) -> None:
    shop.print("db", "upgrade")
    shop.print("announce", "cli.page.viewed", "-d", PAGE)
    shop.print("announce", "cli.ticked")
    before = status(shop)
    assert {name: one["lag"] for name, one in before.items()} == {
        "session.started": 2,
        "page.viewed": 2,
        "ticked": 2,
    }
    assert all(part["position"] is None for part in before["page.viewed"]["partitions"])
    with shop.running("listen", "--workers", "2") as listening:
        eventually(lambda: parked(shop) == 1, timeout=60)
        shop.print("announce", "901", "--key", "s1", "-d", "{}")
        eventually(lambda: noted(shop) == ["started", "/a"], timeout=60)
        eventually(lambda: not any(one["lag"] for one in status(shop).values()), timeout=60)
        assert f"listening to Kafka at {shop.settings['OYEZ_KAFKA']}: " in listening.said()
        assert listening.end(signal.SIGTERM) == 0
        assert "Traceback" not in listening.said()
    after = status(shop)
    assert {name: (one["lag"], one["parked"], one["dead"]) for name, one in after.items()} == {
        name: (0, dict.fromkeys(PARKED, 0), 0) for name in before
    }
    assert (after["ticked"]["promise"], after["ticked"]["sqlite_journal"]) == ("at-least-once", "wal")
    text = shop.print("status")
    assert "clishop.cli.page.viewed\texactly-once\t0" in text
    unasked = json.loads(shop.print("status", "--no-lag", "--json", "--kafka", NOWHERE))
    assert {one["lag"] for one in unasked} == {None}


def test_on_postgresql(shop: Shop, postgres: str) -> None:
    there = Shop(shop.folder, {**shop.settings, "OYEZ_DATABASE": postgres})
    one_line(there.run("listen"), 1, "postgresql+psycopg://", "oyez db upgrade")
    one_line(there.run("db", "check"), 3, "oyez db upgrade")
    there.print("db", "upgrade")
    there.print("announce", "cli.page.viewed", "-d", PAGE)
    with there.running("listen", "cli.page.viewed") as listening:
        eventually(lambda: parked(there) == 1, timeout=60)
        assert listening.end(signal.SIGINT) == 130
        assert "Traceback" not in listening.said()
    (waiting,) = json.loads(there.print("retry", "list", "--json"))
    assert waiting["wait_subject"] == "s1"
    (state,) = [one for one in status(there).values() if one["parked"]["waiting"]]
    assert state["oldest_wait"] > 0
    assert str(make_url(postgres).password) not in there.print("status", "--json")


def test_a_sweep_runs_what_is_due_and_what_that_releases(shop: Shop) -> None:
    shop.print("db", "upgrade")
    closed = Shop(shop.folder, {**shop.settings, "OYEZ_TRANSPORT": "inline", "SHOP_CLOSED": "1"})
    pages = [PAGE, PAGE.replace("s1", "s2").replace("/a", "/bad")]
    closed.print("announce", "903", given="\n".join(pages))
    closed.print("announce", "901", given='{"session_id": "s1"}\n{"session_id": "s2"}')
    with sqlite3.connect(shop.folder / "oyez.db") as db:
        db.execute("UPDATE oyez_parked SET due_at = 1.0 WHERE due_at > 1.0")
    swept = {one.pop("group"): one for one in json.loads(shop.print("sweep", "--json"))}
    # The group of the views comes first, so it takes a second round.
    assert swept == {
        "clishop.cli.page.viewed": NOTHING | {"handled": 1, "parked": 1},
        "clishop.cli.session.started": NOTHING | {"handled": 2, "released": 2},
        "clishop.cli.ticked": NOTHING,
    }
    assert noted(shop) == ["started", "started", "/a"]
    (failed,) = json.loads(shop.print("retry", "list", "--json"))
    assert (failed["state"], failed["error"].split()[0]) == ("due", "ValueError:")
    assert "clishop.cli.session.started\t0\t0\t0\t0" in shop.print("sweep")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_sweeping_goes_on_until_told(shop: Shop, number: signal.Signals, code: int) -> None:
    shop.print("db", "upgrade")
    with shop.running("sweep", "--every", "0.2") as sweeping:
        eventually(lambda: "sweeping every 0.2 s" in sweeping.said())
        assert sweeping.end(number) == code
        assert "Traceback" not in sweeping.said()


@pytest.mark.parametrize("command", [["listen"], ["announce", "cli.ticked", "-d", "{}"]])
def test_no_kafka(shop: Shop, command: list[str]) -> None:
    shop.print("db", "upgrade")
    one_line(shop.run(*command, OYEZ_KAFKA=NOWHERE), 5, f"Kafka at {NOWHERE}", "oyez dev")


def test_a_broker_is_asked_for_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    class Client:
        def list_topics(self, *, timeout: float) -> None:
            asked.append(timeout)

    monkeypatch.setattr(probe, "admin", lambda *_given, **_said: Client())
    assert probe._asked(NOWHERE, {}) == ("there", "")
    assert asked == [5.0]


@pytest.mark.parametrize("command", [["listen"], ["sweep"], ["status"], ["retry", "list"], ["db", "check"]])
def test_no_database(shop: Shop, command: list[str]) -> None:
    url = f"postgresql+psycopg://me:secret@{NOWHERE}/shop"
    done = shop.run(*command, OYEZ_DATABASE=url)
    one_line(done, 5, f"postgresql+psycopg://me:***@{NOWHERE}/shop", "oyez dev")
    assert "secret" not in done.stderr


def test_no_folder_for_the_database(shop: Shop) -> None:
    one_line(shop.run("db", "upgrade", OYEZ_DATABASE="sqlite:////no/such/folder/x.db"), 5, "folder")


def test_wrong_options_of_kafka(shop: Shop) -> None:
    done = shop.run("announce", "cli.ticked", OYEZ_KAFKA_OPTIONS='{"no.such": 1}')
    one_line(done, 2, "OYEZ_KAFKA_OPTIONS", "no.such")


def test_an_event_that_is_too_large(shop: Shop) -> None:
    (shop.folder / "big.json").write_text(json.dumps({"session_id": "s", "url": "x" * 10_000_000}))
    one_line(shop.run("announce", "903", "-d", "@big.json"), 1, "1000000 are allowed")


def test_some_lines_arrive_and_one_is_too_large(shop: Shop) -> None:
    pages = [PAGE, json.dumps({"session_id": "s", "url": "x" * 2_000_000}), PAGE]
    done = shop.run("announce", "903", "--json", given="\n".join(pages))
    assert done.returncode == 1
    assert len(json.loads(done.stdout)) == 1
    assert "1 of 3 events were announced" in done.stderr


def test_a_key_of_any_text(shop: Shop) -> None:
    shop.print("db", "upgrade")
    key = 'it\'s "quoted"\né ☃'
    shop.print("announce", "903", "--key", key, "-d", '{"url": "/"}')
    with shop.running("listen", "cli.page.viewed") as listening:
        eventually(lambda: parked(shop) == 1, timeout=60)
        assert listening.end(signal.SIGTERM) == 0
    (found,) = json.loads(shop.print("retry", "list", "--json"))
    assert (found["key"], found["wait_subject"]) == (key, key)


def test_a_reader_that_goes_away(shop: Shop) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [OYEZ, "signals", "--json-schema"],
        env=shop.environment(),
        cwd=shop.folder,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"imported\n")
