"""What is listed, as JSON, as lines and on a terminal."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert

from consumers.cli.conftest import Invoke
from consumers.cli.running import OYEZ
from consumers.mail.mail_queue import rows_of
from oyez.consumers.cli.common import output
from oyez.consumers.database import metadata
from oyez.consumers.database.tables import dead, mail, parked, scheduled
from support.held import is_held
from support.tables import knowing_the_tables

Refused = Callable[..., None]
KEY = 'it\'s\n"☃"\x1b[31m'


def delivery(**more: Any) -> dict[str, Any]:
    return {
        "app": "clishop",
        "group_name": "clishop.cli.page.viewed",
        "handler": "count_view",
        "signal": "cli.page.viewed",
        "source": "web-1",
        "event_id": "e1",
        "key": "s1",
        "ordered": True,
        "attempts": 2,
        "parked_at": 1_700_000_000.0,
        "value": b"12345",
        "wait_signal": None,
        "wait_subject": None,
        "error": None,
        **more,
    }


PARKED = [
    delivery(event_id="e1", due_at=None, wait_signal="cli.session.started", wait_subject="s1"),
    delivery(event_id="e2", due_at=None),
    delivery(event_id="e3", key=KEY, due_at=1_700_000_060.5, error="ValueError: " + "long " * 200),
    delivery(event_id="e4", handler="other", signal="cli.other", due_at=None),
]
DEAD = [
    delivery(event_id="e5", reason="failed 25 times", died_at=1_700_000_100.0),
    delivery(
        event_id="t/0/7",
        handler="",
        signal="",
        source="",
        key=None,
        reason="undecodable",
        died_at=1_700_000_200.0,
        topic="t",
        partition=0,
        position=7,
    ),
]


@pytest.fixture
def filled(invoke: Invoke) -> Invoke:
    """A database with parked and dead deliveries."""
    assert invoke("db", "upgrade").exit_code == 0
    engine = knowing_the_tables(create_engine("sqlite:///oyez.db"))
    with engine.begin() as db:
        for row in PARKED:
            db.execute(insert(parked).values(row))
        for row in DEAD:
            db.execute(insert(dead).values(row))
    engine.dispose()
    return invoke


def listed(result: Any) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_parked_as_json(filled: Invoke) -> None:
    waiting, behind, due, other = listed(filled("retry", "list", "--json"))
    assert [one["state"] for one in (waiting, behind, due, other)] == ["waiting", "behind", "due", "behind"]
    assert (waiting["wait_signal"], waiting["wait_subject"]) == ("cli.session.started", "s1")
    assert (due["due_at"], due["key"], due["size"]) == ("2023-11-14T22:14:20.500Z", KEY, 5)
    assert waiting["parked_at"] == "2023-11-14T22:13:20.000Z"


def test_dead_as_json(filled: Invoke) -> None:
    failed, undecodable = listed(filled("dead", "list", "--json"))
    assert (failed["reason"], failed["died_at"]) == ("failed 25 times", "2023-11-14T22:15:00.000Z")
    assert (undecodable["topic"], undecodable["partition"], undecodable["offset"]) == ("t", 0, 7)


@pytest.mark.parametrize(
    ("arguments", "events"),
    [
        (["--handler", "other"], ["e4"]),
        (["--signal", "cli.page.viewed"], ["e1", "e2", "e3"]),
        (["--key", KEY], ["e3"]),
        (["--key", "s1", "--handler", "count_view"], ["e1", "e2"]),
        (["--limit", "2"], ["e1", "e2"]),
        (["--limit", "0"], ["e1", "e2", "e3", "e4"]),
        (["--handler", "nobody"], []),
    ],
)
def test_filters(filled: Invoke, arguments: list[str], events: list[str]) -> None:
    assert [one["event_id"] for one in listed(filled("retry", "list", "--json", *arguments))] == events


def test_lines_are_whole_and_one_a_delivery(filled: Invoke) -> None:
    header, *lines = filled("retry", "list").stdout.splitlines()
    assert header.startswith("state\tparked\thandler\tsignal\tkey")
    assert len(lines) == len(PARKED)
    assert all(line.count("\t") == header.count("\t") for line in lines)
    assert "long " * 200 in lines[2] + " "
    assert 'it\'s\\n"☃"\\x1b[31m' in lines[2]
    assert "2023-11-14T22:14:20.500Z" in lines[2]


@pytest.mark.parametrize("name", ["retry", "dead"])
def test_nothing(invoke: Invoke, name: str) -> None:
    invoke("db", "upgrade")
    assert listed(invoke(name, "list", "--json")) == []
    lines = invoke(name, "list")
    assert (lines.exit_code, lines.stdout) == (0, "")
    assert "oyez: no" in lines.stderr


@pytest.mark.parametrize("command", [["retry", "list"], ["dead", "list"], ["sweep"], ["status"]])
def test_without_tables(refused: Refused, command: list[str]) -> None:
    refused(command, 1, "sqlite:///oyez.db", "oyez db upgrade")
    assert not Path("oyez.db").exists()


def test_checks_of_the_database(invoke: Invoke, refused: Refused) -> None:
    refused(["db", "check"], 3, "sqlite:///oyez.db", "oyez db upgrade")
    assert "is now at revision" in invoke("db", "upgrade").stderr
    assert invoke("db", "check").exit_code == 0
    assert "was up to date" in invoke("db", "upgrade").stderr
    engine = knowing_the_tables(create_engine("sqlite:///oyez.db"))
    with engine.begin() as db:
        db.exec_driver_sql("UPDATE oyez_alembic_version SET version_num = '0000'")
    engine.dispose()
    refused(["db", "check"], 3, "revision 0000", "oyez db upgrade")


def test_tables_of_ours_without_a_version(refused: Refused) -> None:
    engine = knowing_the_tables(create_engine("sqlite:///oyez.db"))
    metadata.create_all(engine)
    engine.dispose()
    refused(["db", "check"], 3, "oyez db upgrade")


def test_renaming_a_group(filled: Invoke, refused: Refused) -> None:
    refused(["group", "rename", "clishop.cli.page.viewed", "clishop.visits"], 4, "nothing was changed")
    assert filled("announce", "901", "--transport", "inline", "--key", "k").exit_code == 0
    rename = ["group", "rename", "clishop.cli.page.viewed", "clishop.visits"]
    assert "1 handler" in filled(*rename, "--no-kafka").stderr
    assert {one["group"] for one in listed(filled("retry", "list", "--json"))} == {"clishop.visits"}


def test_signals(invoke: Invoke) -> None:
    found = {one["name"]: one for one in listed(invoke("signals", "--json"))}
    page = found["cli.page.viewed"]
    assert (page["number"], page["key"], page["requires"]) == (
        903,
        "session_id",
        {"cli.session.started": "session_id"},
    )
    assert (page["handlers"], page["groups"]) == (["count_view"], ["clishop.cli.page.viewed"])
    assert [one["name"] for one in listed(invoke("signals", "901", "--json"))] == ["cli.session.started"]
    assert "903\tsession_id" in invoke("signals").stdout


def test_json_schema(invoke: Invoke) -> None:
    one = json.loads(invoke("signals", "--json-schema", "903").stdout)
    assert one["x-oyez-signal"] == "cli.page.viewed"
    everything = json.loads(invoke("signals", "--json-schema").stdout)
    assert everything["$defs"]["cli.page.viewed"]["required"] == ["session_id", "url"]


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command prints on a terminal of 100 columns."""
    ours, its = pty.openpty()
    kept = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    done = subprocess.Popen([OYEZ, *arguments], stdout=its, stderr=sys.stderr, env=kept)
    os.close(its)
    said = b""
    try:
        while block := os.read(ours, 4096):
            said += block
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert done.wait(30) == 0
    return said.decode()


def test_on_a_terminal_times_are_relative(filled: Invoke) -> None:
    said = on_a_terminal("retry", "list")
    assert " d ago" in said
    assert "2023-11" not in said
    assert "\x1b[31m" not in said
    assert "\x1b[1m" in said


def test_without_colour(filled: Invoke) -> None:
    assert "\x1b[3" not in on_a_terminal("retry", "list", NO_COLOR="1")


def test_on_a_terminal_a_long_list_is_cut_and_that_is_said(
    filled: Invoke, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = knowing_the_tables(create_engine("sqlite:///oyez.db"))
    with engine.begin() as db:
        db.execute(insert(parked), [delivery(event_id=f"more{n}", due_at=None) for n in range(150)])
    engine.dispose()
    assert on_a_terminal("retry", "list").count("behind") == 98
    assert "more than 100; --limit 0" in capfd.readouterr().err
    assert on_a_terminal("retry", "list", "--limit", "0").count("behind") == 152


def test_a_limit_that_is_said_is_the_limit(filled: Invoke) -> None:
    """Also that of 101, which is one more than a terminal is shown unless told."""
    engine = knowing_the_tables(create_engine("sqlite:///oyez.db"))
    with engine.begin() as db:
        db.execute(insert(parked), [delivery(event_id=f"more{n}", due_at=None) for n in range(150)])
    engine.dispose()
    assert len(filled("retry", "list", "--limit", "101").stdout.splitlines()) == 102
    assert on_a_terminal("retry", "list", "--limit", "101").count("behind") == 99


MANY = 1_100
"""More than two pages."""


def event_later(number: int) -> dict[str, Any]:
    """Two are due at each moment."""
    said = {"topic": "t", "value": b"{}", "signal": "s", "source": "w", "event_id": f"later{number}"}
    return {**said, "due_at": 2_000_000_000.0 - number // 2, "scheduled_at": 1.0}


LISTS: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "retry": (parked, [delivery(event_id=f"e{n}", due_at=None) for n in range(MANY)]),
    "dead": (dead, [delivery(event_id=f"e{n}", reason="failed", died_at=1.0) for n in range(MANY)]),
    "mail": (mail, rows_of(range(MANY), 1_000.0)),
    "scheduled": (scheduled, [event_later(n) for n in range(MANY)]),
}


def test_who_reads_a_list_slowly_keeps_nothing_open_in_the_database(
    invoke: Invoke, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `oyez retry list | less` does, for as long as the pager is open."""
    monkeypatch.setenv("OYEZ_DATABASE", database)
    monkeypatch.setenv("OYEZ_SQLITE_JOURNAL", "delete")
    assert invoke("db", "upgrade").exit_code == 0
    engine = knowing_the_tables(create_engine(database))
    with engine.begin() as db:
        for table, rows in LISTS.values():
            db.execute(insert(table), rows)
    engine.dispose()
    held: list[bool] = []
    say = output.line

    def slowly(text: str) -> None:
        """The title, which is printed when the first row is there."""
        say(text)
        held.append(is_held(database))

    with monkeypatch.context() as patched:
        patched.setattr(output, "line", slowly)
        printed = {name: len(invoke(name, "list").stdout.splitlines()) for name in LISTS}
    assert (printed, held) == (dict.fromkeys(LISTS, MANY + 1), [False] * len(LISTS))


def test_what_is_listed_is_whole_and_in_order_over_many_pages(filled: Invoke) -> None:
    engine = knowing_the_tables(create_engine("sqlite:///oyez.db"))
    with engine.begin() as db:
        for table, rows in LISTS.values():
            db.execute(table.delete())
            db.execute(insert(table), rows)
    engine.dispose()
    for name in LISTS:
        in_order = sorted(range(MANY), key=lambda n: (-(n // 2), n)) if name == "scheduled" else range(MANY)
        ids = [one["id"] for one in listed(filled(name, "list", "--json"))]
        assert [number - min(ids) for number in ids] == [*in_order]
        assert [one["id"] for one in listed(filled(name, "list", "--json", "--limit", "501"))] == ids[:501]
