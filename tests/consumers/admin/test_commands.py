"""The operations as commands: what they ask, print, refuse and return."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from consumers.admin.cafe_commands import APPS, Cafe
from consumers.cli.running import OYEZ
from oyez.consumers.database import releasing

ACTIONS = [
    ["retry", "release"],
    ["retry", "release", "--force"],
    ["retry", "discard"],
    ["dead", "retry"],
    ["dead", "discard"],
]


@pytest.fixture
def busy(cafe: Cafe) -> Cafe:
    """Three parked deliveries (due, waiting, behind) and three dead ones."""
    cafe.module.broken.update({"menu", "price"})
    cafe.handle(*(cafe.module.Ordered(table=f"t{n}", n=n) for n in (2, 8, 14)))
    cafe.pipeline.clock.now += 86_400.0
    cafe.handle(cafe.module.Ordered(table="t6", n=6), *(cafe.module.Paid(table="t1", n=n) for n in (1, 2)))
    return cafe


def left(cafe: Cafe) -> tuple[int, int]:
    return len(cafe.pipeline.rows("parked", "id")), len(cafe.pipeline.rows("dead", "id"))


def test_only_the_count(busy: Cafe) -> None:
    for command in ACTIONS:
        assert busy.json(*command, "--dry-run")[0]["matched"] == 3
        assert busy.call(*command, "--dry-run").stdout.splitlines()[1].split("\t")[0] == "3"
    assert left(busy) == (3, 3)


def test_nothing_happens_unasked_off_a_terminal(busy: Cafe) -> None:
    for command in ACTIONS:
        said = busy.refused(2, *command)
        assert "3 deliveries" in said
        assert "--yes" in said
    assert left(busy) == (3, 3)


def test_nothing_matches(busy: Cafe) -> None:
    for command in ACTIONS:
        (row,) = busy.json(*command, "--key", "nobody's")
        assert row["matched"] == 0
        assert busy.call(*command, "--key", "nobody's").exit_code == 0
    assert left(busy) == (3, 3)


FILTERS = [
    ("retry", ["--reason", "due"], 1),
    ("retry", ["--reason", "waiting"], 1),
    ("retry", ["--reason", "behind"], 1),
    ("retry", ["--handler", "thank"], 2),
    ("retry", ["--signal", "cafe.paid", "--key", "t1"], 2),
    ("retry", ["--error", "price"], 1),
    ("retry", ["--error", "PRICE"], 0),
    ("retry", ["--older", "5d"], 3),
    ("retry", ["--older", "6.5d", "--source", "web"], 0),
    ("retry", ["--newer", "6.5d"], 3),
    ("dead", ["--reason", "rejected"], 3),
    ("dead", ["--reason", "by its"], 0),
    ("dead", ["--error", "on the menu"], 3),
    ("dead", ["--error", "%"], 0),
    ("dead", ["--older", "156h", "--newer", "10d"], 3),
    ("dead", ["--newer", "6d"], 0),
    ("dead", ["--source", "web-9"], 0),
    ("dead", ["--id", "nobody's"], 0),
]


def test_one_set_of_filters(busy: Cafe) -> None:
    for name, arguments, count in FILTERS:
        assert len(busy.json(name, "list", *arguments)) == count, arguments
        assert busy.json(name, "discard", "--dry-run", *arguments)[0]["matched"] == count, arguments


def test_several_events(busy: Cafe) -> None:
    one, two, _ = busy.pipeline.rows("dead", "event_id")
    assert busy.json("dead", "discard", "--id", one, "--id", two, "--yes")[0]["discarded"] == 2
    assert left(busy) == (3, 1)


def test_an_age_that_is_none(cafe: Cafe) -> None:
    for age in ("10", "m", "2 h", "-3d", "3y"):
        assert "10m, 2h or 3d" in cafe.refused(2, "dead", "list", f"--older={age}")


def test_a_state_that_is_none(cafe: Cafe) -> None:
    assert "waiting, behind, due" in cafe.refused(2, "retry", "list", "--reason", "failed")


def test_release_and_force(busy: Cafe) -> None:
    assert busy.json("retry", "release", "--yes") == [
        {"matched": 3, "released": 2, "behind": 1, "unregistered": 0, "busy": 0}
    ]
    busy.module.broken.clear()
    (row,) = busy.json("retry", "release", "--force", "--yes")
    assert (row["matched"], row["handled"], row["parked_again"], row["dead"]) == (3, 3, 0, 0)
    assert left(busy) == (0, 3)


def test_discarding_says_what_it_meets(cafe: Cafe) -> None:
    cafe.module.broken.add("door")
    cafe.handle(
        cafe.module.Seated(table="t1"), cafe.module.Paid(table="t1", n=1), cafe.module.Paid(table="t1", n=2)
    )
    done = cafe.call("dead", "discard", "--yes")
    assert "oyez: cafe.seated 't1' is met now" in done.stderr
    assert "1 delivery waited for that and is due now" in done.stderr
    cafe.today()
    assert cafe.pipeline.effects() == [1, 2]


def test_discarding_says_it_in_json(cafe: Cafe) -> None:
    cafe.module.broken.add("door")
    cafe.handle(cafe.module.Seated(table="t1"))
    (row,) = cafe.json("dead", "discard", "--yes")
    assert (row["discarded"], row["met"]) == (1, [{"signal": "cafe.seated", "subject": "t1"}])


def test_discarding_says_that_more_may_be_released(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", 1)
    cafe.module.broken.add("door")
    cafe.handle(cafe.module.Seated(table="t1"), cafe.module.Paid(table="t1"))
    more = "more may have waited for that than are counted"
    assert more in cafe.call("dead", "discard", "--yes").stderr
    cafe.handle(cafe.module.Seated(table="t2"), cafe.module.Paid(table="t2"))
    assert cafe.json("dead", "discard", "--yes")[0]["may_be_more"] is True


def test_what_handlers_print_is_no_data(cafe: Cafe) -> None:
    cafe.module.broken.add("door")
    cafe.handle(cafe.module.Seated(table="t1"))
    cafe.module.broken.clear()
    cafe.call("dead", "retry", "--yes")
    assert cafe.json("retry", "release", "--force", "--yes")[0]["handled"] == 1


def test_groups(busy: Cafe) -> None:
    (group,) = busy.json("dead", "groups")
    assert (group["count"], group["error"]) == (3, "it is not on the menu")
    header, line = busy.call("dead", "groups").stdout.splitlines()
    assert header.startswith("count\thandler\tsignal\treason")
    assert line.startswith("3\tserve\tcafe.ordered\trejected by its handler")
    assert busy.json("dead", "groups", "--handler", "nobody") == []


def test_show(busy: Cafe) -> None:
    (event, *_) = busy.pipeline.rows("dead", "event_id")
    (shown,) = busy.json("dead", "show", event)
    assert (shown["event"]["data"], shown["text"], shown["base64"]) == ({"table": "t2", "n": 2}, None, None)
    lines = busy.call("dead", "show", event, "--handler", "serve").stdout
    assert "reason\trejected by its handler" in lines
    assert '    "table": "t2"' in lines
    (due, *_) = busy.json("retry", "list", "--reason", "due")
    assert "KeyError: 'price'\n" in busy.call("retry", "show", due["event_id"]).stdout
    assert "nothing is dead" in busy.refused(4, "dead", "show", "nobody's")
    assert "nothing is parked" in busy.refused(4, "retry", "show", event)


def test_what_is_no_json_is_shown(cafe: Cafe) -> None:
    cafe.pipeline.broker.append("pipeline", None, b"no\x1b[31m event")
    cafe.pipeline.broker.append("pipeline", None, b"\xff\xfe")
    cafe.pipeline.run()
    text, binary = cafe.pipeline.rows("dead", "event_id")
    assert cafe.json("dead", "show", text)[0]["text"] == "no\x1b[31m event"
    assert cafe.json("dead", "show", binary)[0]["base64"] == "//4="
    assert "no\\x1b[31m event" in cafe.call("dead", "show", text).stdout
    (row,) = cafe.json("dead", "retry", "--yes")
    assert (row["retried"], row["undecodable"]) == (0, 2)


def test_without_tables(tmp_path: Path, cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_DATABASE", f"sqlite:///{tmp_path}/none.db")
    for command in [*ACTIONS, ["dead", "groups"], ["dead", "show", "e"], ["explain", "e"]]:
        assert "oyez db upgrade" in cafe.refused(1, *command)


def test_without_an_application(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OYEZ_APP")
    for command in [*ACTIONS, ["explain", "e"]]:
        assert "--app" in cafe.refused(2, *command)


def on_a_terminal(answer: str, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and what it shows, on a terminal on which this is typed."""
    ours, its = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(APPS), "TERM": "xterm-256color", "COLUMNS": "100"}
    running = subprocess.Popen([OYEZ, *arguments], stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    os.write(ours, answer.encode())
    said = b""
    try:
        while more := os.read(ours, 1024):
            said += more
    except OSError:
        pass  # the other side was closed
    os.close(ours)
    return running.wait(60), said.decode()


def test_somebody_is_asked_on_a_terminal(busy: Cafe) -> None:
    code, said = on_a_terminal("n\n", "dead", "discard")
    assert (code, left(busy)) == (1, (3, 3))
    assert "discard 3 deliveries? [y/N]" in said
    assert "nothing was changed" in said
    code, said = on_a_terminal("y\n", "dead", "discard")
    assert (code, left(busy)) == (0, (3, 0))
    assert "discarded" in said


def test_a_terminal_gets_a_table(busy: Cafe) -> None:
    code, said = on_a_terminal("", "dead", "groups")
    assert code == 0
    print(said)
    assert "serve" in said
    code, said = on_a_terminal("", "explain", busy.pipeline.rows("dead", "event_id")[0])
    assert "dead since 6 d ago" in said or "dead since 7 d ago" in said
