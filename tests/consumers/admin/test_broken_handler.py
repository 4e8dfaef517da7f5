"""A handler breaks in three ways for 300 events. Whoever is called to it has the command line, and nothing else."""

from __future__ import annotations

import re

import pytest

from consumers.admin.cafe_commands import Cafe
from oyez.consumers.admin import overtaking

EVENTS = range(600)
TABLES = 20
BROKEN = [n for n in EVENTS if n % 2 == 0]


def test_from_the_commands_alone(cafe: Cafe) -> None:
    waiter = cafe.module
    waiter.broken.update({"price", "menu", "table"})
    # Every table has orders of all three ways, and good ones.
    cafe.handle(*(waiter.Ordered(table=f"t{n * 11 // 6 % TABLES}", n=n) for n in EVENTS))
    cafe.all_die()

    found = {group["group"]: group["dead"] for group in cafe.json("status", "--no-lag")}
    assert found["cafe.cafe.ordered"] == 300

    groups = cafe.json("dead", "groups")
    assert [(group["count"], group["handler"], group["reason"], group["error"]) for group in groups] == [
        (100, "serve", "failed", "KeyError: 'price'"),
        (100, "serve", "never met", None),
        (100, "serve", "rejected by its handler", "it is not on the menu"),
    ]
    assert groups[1]["wait_signal"] == "cafe.seated"

    for group in groups:
        (explained,) = cafe.json("explain", group["example"], "--no-lag")
        (part,) = explained["parts"]
        assert (part["handler"], part["state"]) == ("serve", "dead")
        assert part["released_by"] == f"oyez dead retry --id {group['example']} --handler serve"
    (never,) = cafe.json("explain", groups[1]["example"])
    assert never["parts"][0]["waits_for"]["in_the_way"] == []
    (kept,) = cafe.json("dead", "show", groups[0]["example"])
    assert 'raise KeyError("price")' in kept["error"]
    one = kept["event"]["data"]["n"]

    waiter.broken.clear()
    before = cafe.pipeline.effects("serve")
    assert cafe.json("dead", "retry", "--id", groups[0]["example"], "--yes")[0]["retried"] == 1
    cafe.today()
    assert cafe.pipeline.effects("serve") == [*before, one]

    assert cafe.json("dead", "retry", "--handler", "serve", "--dry-run")[0]["matched"] == 299
    retried = cafe.call("dead", "retry", "--handler", "serve", "--yes")
    assert retried.stdout.splitlines()[1].split("\t")[0] == "299"
    cafe.today()
    again = cafe.pipeline.effects("serve")[len(before) :]
    assert sorted(again) == BROKEN
    for table in range(TABLES):
        ours = [n for n in again if n * 11 // 6 % TABLES == table and n != one]
        assert ours == sorted(ours)
    assert cafe.pipeline.is_clean()
    assert {group["dead"] for group in cafe.json("status", "--no-lag")} == {0}


def test_what_is_overtaken_is_said(cafe: Cafe) -> None:
    waiter = cafe.module
    waiter.broken.add("menu")
    cafe.handle(*(waiter.Ordered(table="t1", n=n) for n in (2, 8)))
    cafe.all_die()
    quiet = cafe.call("dead", "retry", "--dry-run")
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    cafe.handle(waiter.Ordered(table="t1", n=1))
    said = cafe.call("dead", "retry", "--dry-run").stderr
    assert re.search(r"at most 2 deliveries .* out of order; it is not known which", said)
    waiter.broken.add("price")
    cafe.handle(waiter.Ordered(table="t1", n=6), waiter.Ordered(table="t1", n=7))
    said = cafe.call("dead", "retry", "--yes").stderr
    assert "2 deliveries will go before newer events of their key" in said
    waiter.broken.clear()
    cafe.today()
    assert cafe.pipeline.effects("serve") == [1, 2, 8, 6, 7]


def test_what_is_not_known_is_said(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overtaking, "LOOK", 1)
    cafe.module.broken.add("menu")
    cafe.handle(*(cafe.module.Ordered(table="t1", n=n) for n in (2, 8)))
    assert "of 2 deliveries it is not known" in cafe.call("dead", "retry", "--dry-run").stderr
    (row,) = cafe.json("dead", "retry", "--dry-run")
    assert (row["newer_handled"], row["newer_not_known"]) == (0, 2)
