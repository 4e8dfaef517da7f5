"""What became of an event: `oyez explain`."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.event import listen, remove
from typer.testing import CliRunner

from consumers.admin.cafe_commands import APPS, Cafe
from oyez.consumers.cli import app
from oyez.consumers.reports.tracing import expired


def event(cafe: Cafe, handler: str, n: int) -> str:
    """The id of an event of which a delivery is parked or dead."""
    for table in ("parked", "dead"):
        for one, value, event_id in cafe.pipeline.rows(table, "handler", "value", "event_id"):
            if (one, f'"n":{n}}}'.encode() in bytes(value)) == (handler, True):
                return str(event_id)
    raise AssertionError(f"nothing of {handler} {n} is parked or dead")


def part(cafe: Cafe, event_id: str, *more: str) -> dict[str, Any]:
    (explained,) = cafe.json("explain", event_id, *more)
    (found,) = explained["parts"]
    assert isinstance(found, dict)
    return found


def test_a_delivery_that_waits_for_what_was_never_seen(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Paid(table="t1", n=1), cafe.module.Paid(table="t1", n=2))
    waiting = part(cafe, event(cafe, "thank", 1))
    assert (waiting["state"], waiting["behind_it"]) == ("waiting", 1)
    prerequisite = waiting["waits_for"]
    assert (
        prerequisite["signal"],
        prerequisite["subject"],
        prerequisite["met"],
        prerequisite["in_the_way"],
    ) == (
        "cafe.seated",
        "t1",
        False,
        [],
    )
    assert waiting["released_by"] == "an event cafe.seated 't1', handled by cafe.cafe.seated"
    cafe.pipeline.later(10.0)
    said = cafe.call("explain", event(cafe, "thank", 1)).stdout
    assert "waits for\tcafe.seated 't1', which is not met" in said
    assert "no such event has been seen" in said
    assert "cafe.cafe.seated: pipeline 0 read up to 2" in said


def test_a_delivery_behind_it(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Paid(table="t1", n=1), cafe.module.Paid(table="t1", n=2))
    first = event(cafe, "thank", 1)
    behind = part(cafe, event(cafe, "thank", 2))
    assert (behind["state"], behind["first"]["event_id"], behind["first"]["state"]) == (
        "behind",
        first,
        "waiting",
    )
    assert behind["released_by"] == f"the end of {first}, which is waiting; oyez explain {first}"


def test_what_it_waits_for_is_itself_dead(cafe: Cafe) -> None:
    cafe.module.broken.add("door")
    cafe.handle(cafe.module.Seated(table="t1", n=7), cafe.module.Paid(table="t1", n=1))
    seated = event(cafe, "seat", 7)
    waiting = part(cafe, event(cafe, "thank", 1))
    (obstacle,) = waiting["waits_for"]["in_the_way"]
    assert (obstacle["event_id"], obstacle["handler"], obstacle["state"]) == (seated, "seat", "dead")
    assert waiting["released_by"] == f"oyez dead retry --id {seated} --handler seat, or discard it"
    (of_seated,) = cafe.json("explain", seated)
    assert of_seated["waiting_for_it"] == {"thank": 1}
    assert of_seated["meets"]["met"] is False
    lines = cafe.call("explain", seated).stdout
    assert "meets\tcafe.seated 't1': not met" in lines
    assert "1 of thank waiting for it" in lines
    cafe.all_die()
    (of_seated,) = cafe.json("explain", seated)
    assert (of_seated["waiting_for_it"], of_seated["died_waiting"]) == ({}, {"thank": 1})


def test_a_failing_delivery(cafe: Cafe) -> None:
    cafe.module.broken.add("price")
    cafe.handle(cafe.module.Ordered(table="t1", n=6))
    due = part(cafe, event(cafe, "serve", 6))
    assert (due["state"], due["attempts"]) == ("due", 1)
    assert due["error"].startswith("KeyError: 'price'\n")
    assert due["due_at"] > due["since"]
    assert due["released_by"] == "its next attempt, by a worker or oyez sweep"


def test_a_delivery_that_is_done(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Ordered(table="t1", n=1))
    ((source, event_id),) = cafe.pipeline.rows("inbox", "source", "event_id")
    done = part(cafe, event_id, "--source", source)
    assert (done["handler"], done["state"], done["released_by"]) == ("serve", "done", None)
    assert re.search(
        r"^serve \(cafe\.cafe\.ordered\): done, taken 20", cafe.call("explain", event_id).stdout, re.MULTILINE
    )
    assert cafe.json("explain", event_id, "--source", "nobody", code=4)[0]["parts"] == []


def test_a_delivery_that_has_expired(cafe: Cafe) -> None:
    """It is not said to be done, and what it means for others is said too: without a journal."""
    cafe.today()
    cafe.handle(cafe.module.Paid(table="t1", n=1))
    cafe.pipeline.announcer.announce(cafe.module.Seated(table="t1", n=7), expires=timedelta(seconds=1))
    cafe.pipeline.clock.now += 5
    cafe.pipeline.run()
    ((seated, at),) = cafe.pipeline.rows("journal", "event_id", "at")
    ended = part(cafe, seated)
    assert (ended["handler"], ended["state"], ended["attempts"]) == ("seat", "expired", 0)
    assert datetime.fromisoformat(ended["since"]).timestamp() == pytest.approx(at, abs=1e-3)
    assert ended["reason"].startswith("expired at 20")
    assert ended["released_by"].startswith("nothing: its event has expired")
    assert ended["followers"] == (
        "later events of its key go on; what waits for cafe.seated 't1' is not released by it, but by another such "
        "event or by oyez met cafe.seated t1; else it dies of waiting"
    )
    (explained,) = cafe.json("explain", seated, "--source", "web")
    assert (explained["key"], explained["waiting_for_it"]) == ("t1", {"thank": 1})
    lines = cafe.call("explain", seated).stdout
    assert re.search(
        r"^seat \(cafe\.cafe\.seated\): expired since 20.*\n  reason\texpired at 20.*\n  followers\tlater",
        lines,
        re.MULTILINE,
    )
    assert "\t1 of thank waiting for it" in lines
    assert "paid" not in lines


def test_what_has_expired_is_found_by_its_index(cafe: Cafe) -> None:
    """The journal may have millions of rows, and is asked by an event's id."""
    seen: list[str] = []
    with cafe.pipeline.engine.connect() as db:
        if db.dialect.name == "postgresql":
            db.exec_driver_sql("SET LOCAL enable_seqscan TO off")  # of an empty table it would be used

        def explained(_c: Any, _u: Any, statement: str, values: Any, *_: Any) -> None:
            if statement.startswith("SELECT") and "oyez_journal" in statement:
                how = "EXPLAIN QUERY PLAN " if db.dialect.name == "sqlite" else "EXPLAIN "
                seen.extend(
                    str(row) for row in db.connection.cursor().execute(how + statement, values).fetchall()
                )

        listen(cafe.pipeline.engine, "before_cursor_execute", explained)
        assert expired(db, "cafe", "e1", None) == []
        remove(cafe.pipeline.engine, "before_cursor_execute", explained)
    assert "oyez_journal_expired" in "".join(seen)


def test_what_has_expired_and_came_again_later_is_what_it_is_then(cafe: Cafe) -> None:
    """Its inbox has forgotten it, and it was announced once more."""
    web = cafe.pipeline.announcer
    web._new_id = lambda: "the-same"
    web.announce(cafe.module.Ordered(table="t1", n=1), expires=timedelta(seconds=1))
    cafe.pipeline.clock.now = time.time() + 2
    cafe.pipeline.run()
    assert part(cafe, "the-same")["followers"] == "later events of its key go on"
    with cafe.pipeline.engine.begin() as db:
        db.execute(text("DELETE FROM oyez_inbox"))
    cafe.pipeline.clock.now += 1
    web.announce(cafe.module.Ordered(table="t1", n=1))
    cafe.pipeline.run()
    done = part(cafe, "the-same")
    assert (done["state"], done["followers"]) == ("done", None)


def test_two_sources_may_use_the_same_id(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Ordered(table="t1", n=1))
    (event_id,) = cafe.pipeline.rows("inbox", "event_id")
    with cafe.pipeline.engine.begin() as db:
        db.execute(
            text("INSERT INTO oyez_inbox SELECT group_name, 'web-9', event_id, taken_at FROM oyez_inbox")
        )
    assert [one["source"] for one in cafe.json("explain", event_id)] == ["web", "web-9"]


def test_an_event_that_only_some_groups_have_read(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Seated(table="t1"))
    (event_id,) = cafe.pipeline.rows("inbox", "event_id")
    with cafe.pipeline.engine.begin() as db:
        db.execute(text("UPDATE oyez_inbox SET group_name = 'cafe.cafe.paid'"))
    (explained,) = cafe.json("explain", event_id)
    assert [(one["handler"], one["state"]) for one in explained["parts"]] == [("thank", "done")]


def test_an_event_that_nobody_has_seen(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Ordered(table="t1", n=1))
    cafe.pipeline.later()
    unknown = "0198c5f2-0000-7000-8000-000000000000"
    (explained,) = cafe.json("explain", unknown, code=4)
    assert explained["parts"] == []
    assert {one["group"]: [at["position"] for at in one["partitions"]] for one in explained["groups"]} == {
        "cafe.cafe.seated": [1],
        "cafe.cafe.ordered": [1],
        "cafe.cafe.paid": [1],
    }
    result = cafe.call("explain", unknown)
    assert result.exit_code == 4
    assert "cafe.cafe.ordered: pipeline 0 read up to 1" in result.stdout
    assert result.stderr.startswith(f"oyez: no group of cafe has taken {unknown}")


def test_an_unregistered_handler(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Paid(table="t1", n=1))
    with cafe.pipeline.engine.begin() as db:
        db.execute(text("UPDATE oyez_parked SET handler = 'old'"))
    (event_id,) = cafe.pipeline.rows("parked", "event_id")
    (explained,) = cafe.json("explain", event_id)
    left, done = explained["parts"]
    assert (left["handler"], left["is_unregistered"]) == ("old", True)
    assert left["released_by"].endswith(f"oyez retry discard --id {event_id} --handler old")
    assert (done["handler"], done["state"]) == ("thank", "done")


@pytest.mark.parametrize("way", ["menu", "price"])
def test_a_dead_delivery(cafe: Cafe, way: str) -> None:
    cafe.module.broken.add(way)
    n = {"menu": 2, "price": 6}[way]
    cafe.handle(cafe.module.Ordered(table="t1", n=n))
    cafe.all_die()
    dead = part(cafe, event(cafe, "serve", n))
    assert dead["state"] == "dead"
    assert dead["released_by"].startswith("oyez dead retry --id ")


def test_how_much_is_left_to_read(
    kafka: str, topic: str, sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three events that nobody reads: not even the one that the others wait for."""
    monkeypatch.syspath_prepend(str(APPS))
    monkeypatch.chdir(tmp_path)
    settings = {"APP": "cafe:on", "DATABASE": sqlite, "KAFKA": kafka, "TOPIC": topic, "TRANSPORT": "kafka"}
    for name, value in settings.items():
        monkeypatch.setenv(f"OYEZ_{name}", value)
    run = CliRunner().invoke
    assert run(app, ["db", "upgrade"]).exit_code == 0
    announced = [run(app, ["announce", "cafe.paid", "-d", f'{{"table": "t1", "n": {n}}}']) for n in range(3)]
    unknown = run(app, ["explain", announced[0].stdout.strip(), "--json"])
    assert unknown.exit_code == 4
    (explained,) = json.loads(unknown.stdout)
    assert {one["group"]: one["lag"] for one in explained["groups"]} == dict.fromkeys(
        ["cafe.cafe.seated", "cafe.cafe.ordered", "cafe.cafe.paid"], 3
    )
    said = run(app, ["explain", announced[0].stdout.strip()]).stdout
    assert re.search(r"^cafe\.cafe\.paid: test-\w+ \d not begun of 3, 3 to go$", said, re.MULTILINE)
    monkeypatch.setenv("OYEZ_KAFKA", "127.0.0.1:1")
    away = run(app, ["explain", "nobody's"])
    assert away.exit_code == 4
    assert "how much is left to read is not known" in away.stderr
