"""`oyez replay`, over real files and a real Kafka."""

from __future__ import annotations

import json
import re
import shlex
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from consumers.cli.running import Shop, one_line
from support.waiting import eventually

STARTED = "cli.session.started"
DOCS = (Path(__file__).parents[3] / "docs" / "replay.md").read_text()


@pytest.fixture
def spooled_shop(sqlite: str, tmp_path: Path) -> Shop:
    settings = {
        "OYEZ_APP": "shop:on",
        "OYEZ_TRANSPORT": "spool",
        "OYEZ_DATABASE": sqlite,
        "OYEZ_SOURCE": "web-1",
    }
    return begun(Shop(tmp_path, settings))


@pytest.fixture
def kafka_shop(kafka: str, topic: str, sqlite: str, tmp_path: Path) -> Shop:
    settings = {"OYEZ_APP": "shop:on", "OYEZ_KAFKA": kafka, "OYEZ_TOPIC": topic, "OYEZ_DATABASE": sqlite}
    return begun(Shop(tmp_path, settings))


def begun(shop: Shop) -> Shop:
    """Three sessions and four views of them, handled."""
    shop.print("db", "upgrade")
    shop.print("announce", STARTED, given="".join(f'{{"session_id": "s{n}"}}\n' for n in range(3)))
    views = "".join(f'{{"session_id": "s{n % 3}", "url": "/{n}"}}\n' for n in range(4))
    shop.print("announce", "cli.page.viewed", given=views)
    listen(shop)
    assert noted(shop) == VIEWS + ["started"] * 3
    return shop


VIEWS = ["/0", "/1", "/2", "/3"]


def noted(shop: Shop) -> list[str]:
    with sqlite3.connect(shop.settings["OYEZ_DATABASE"].removeprefix("sqlite:///")) as db:
        return sorted(what for (what,) in db.execute("SELECT what FROM noted"))


def listen(shop: Shop) -> None:
    shop.print("listen", "--limit", "100")


def replayed(shop: Shop, *arguments: str, code: int = 0, given: str = "") -> Any:
    """What it prints of what it did."""
    done = shop.run("replay", *arguments, "--json", given=given)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def only(shop: Shop, *arguments: str, **more: Any) -> dict[str, Any]:
    (row,) = replayed(shop, *arguments, "--yes", **more)
    row.pop("run")
    return dict(row)


def to_all_and_to_one(shop: Shop) -> None:
    """What holds wherever the events are."""
    found = replayed(shop, "--dry-run")
    assert [(row["signal"], row["events"]) for row in found] == [("cli.page.viewed", 4), (STARTED, 3)]
    assert only(shop) == {"matched": 7, "announced": 7}
    listen(shop)
    assert noted(shop) == VIEWS + ["started"] * 3
    assert only(shop, "--new-ids", "--run", "r1", "--key", "s0") == {"matched": 3, "announced": 3}
    assert only(shop, "--new-ids", "--run", "r1", "--key", "s0") == {"matched": 3, "announced": 3}
    listen(shop)
    assert noted(shop) == sorted([*VIEWS, "/0", "/3"]) + ["started"] * 4
    nothing = {"before": 0, "parked": 0, "dead": 0, "undecodable": 0}
    assert only(shop, "--to-handler", "count_view") == {"matched": 4, "delivered": 4, **nothing}
    listen(shop)
    assert noted(shop) == sorted([*VIEWS, *VIEWS, "/0", "/3"]) + ["started"] * 4


def test_from_the_spool(spooled_shop: Shop) -> None:
    to_all_and_to_one(spooled_shop)


def test_from_kafka(kafka_shop: Shop) -> None:
    to_all_and_to_one(kafka_shop)
    one_line(kafka_shop.run("replay", "kafka:nowhere", "--dry-run"), 4, "has no topic nowhere")
    assert replayed(kafka_shop, f"kafka:{kafka_shop.settings['OYEZ_TOPIC']}", "--dry-run", "--since", "1h")


def test_from_a_file_or_stdin_of_another_machine(spooled_shop: Shop) -> None:
    lines = spooled_shop.print("spool", "cat")
    (spooled_shop.folder / "events").write_text(lines + "no event\n\n")
    assert only(spooled_shop, "@events", "--signal", "903", "--limit", "2") == {"matched": 2, "announced": 2}
    assert only(spooled_shop, "-", "--to-handler", "open_visit", given=lines)["delivered"] == 3
    done = spooled_shop.run("replay", "@events", "--dry-run")
    assert "1 record cannot be read as events" in done.stderr
    assert "@events, line 8: " in done.stderr


def test_the_loop_guard(spooled_shop: Shop) -> None:
    for _ in range(2):
        assert only(spooled_shop, "--signal", STARTED)["announced"] == 3
    assert replayed(spooled_shop, "--signal", STARTED, "--max-replays", "2", "--yes", code=1) == []
    done = spooled_shop.run("replay", "--max-replays", "2", "--yes")
    assert done.returncode == 1
    assert "3 events were announced again too often" in done.stderr
    assert done.stdout.splitlines()[1].split("\t")[1:] == ["4", "4"]


def test_stopped_at_a_rate_it_says_how_to_go_on_and_nothing_is_delivered_twice(spooled_shop: Shop) -> None:
    arguments = ("replay", "--to-handler", "count_view", "--run", "slow", "--yes", "--json")
    with spooled_shop.running(*arguments, "--rate", "1/min") as running:
        eventually(lambda: parked(spooled_shop) >= 1)
        assert running.end(signal.SIGINT) == 130
        said = running.said()
    (line,) = (line for line in said.splitlines() if line.startswith("["))
    (row,) = json.loads(line)
    assert row["delivered"] == parked(spooled_shop) < 4
    assert f"{4 - row['delivered']} event" in said
    assert "go on by --run slow" in said
    listen(spooled_shop)
    assert only(spooled_shop, *arguments[1:-2])["delivered"] == 4 - row["delivered"]
    listen(spooled_shop)
    assert noted(spooled_shop) == sorted([*VIEWS, *VIEWS]) + ["started"] * 3


def parked(shop: Shop) -> int:
    return len(json.loads(shop.print("retry", "list", "--json")))


REFUSED: list[tuple[list[str], int, str]] = [
    (["elsewhere"], 2, "elsewhere: write spool, spool:FOLDER"),
    (["spool:nowhere"], 4, "there is no folder nowhere"),
    (["@nowhere"], 4, "@nowhere: there is no such file"),
    (["--to-handler", "count_views"], 4, "did you mean count_view?"),
    (["--to-handler", "count_view", "--signal", STARTED], 2, "count_view handles cli.page.viewed alone"),
    (["--signal", "cli.page.view"], 4, "cli.page.viewed"),
    (["--since", "yesterday"], 2, "--since yesterday: write a time"),
    (["--run", "x" * 251], 2, "--run: it has 251 characters"),
    (["--rate", "0/s"], 2, "--rate 0/s"),
    ([], 2, "announce 7 events again, under their own ids? Give --yes"),
]


def test_bad_arguments(spooled_shop: Shop) -> None:
    for arguments, code, words in REFUSED:
        one_line(spooled_shop.run("replay", *arguments), code, words)
    one_line(spooled_shop.run("replay", OYEZ_TRANSPORT="memory"), 2, "keeps no events")
    one_line(spooled_shop.run("replay", "spool", "--yes", OYEZ_TRANSPORT="memory"), 2, "memory")
    assert len(spooled_shop.print("spool", "cat").splitlines()) == 7


def test_killed_while_it_announces_and_run_again_nothing_is_handled_twice(spooled_shop: Shop) -> None:
    """Under new ids, which no inbox knows from before."""
    arguments = ("--new-ids", "--run", "killed", "--signal", "903")
    before = spool_lines(spooled_shop)
    with spooled_shop.running("replay", *arguments, "--yes", "--rate", "2/s") as running:
        eventually(lambda: spool_lines(spooled_shop) > before)
        running.process.kill()
        running.process.wait()
    assert only(spooled_shop, *arguments) == {"matched": 4, "announced": 4}
    assert spool_lines(spooled_shop) > before + 4
    listen(spooled_shop)
    assert noted(spooled_shop) == sorted([*VIEWS, *VIEWS]) + ["started"] * 3


def spool_lines(shop: Shop) -> int:
    return sum(file.read_bytes().count(b"\n") for file in (shop.folder / "spool").rglob("*.ndjson"))


def test_what_the_docs_show_runs(spooled_shop: Shop) -> None:
    (shown,) = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
    commands = [shlex.split(line, comments=True)[1:] for line in shown.splitlines()]
    assert len(commands) == 2
    for command in commands:
        given = [{"page.viewed": "cli.page.viewed"}.get(one, one) for one in command]
        assert "4" in spooled_shop.print(*given, "--yes")
