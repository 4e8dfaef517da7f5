"""`oyez pause` and `oyez resume`: what is said, what is shown, and that it holds through a kill."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from consumers.cli.conftest import Invoke
from consumers.cli.running import Shop
from consumers.cli.test_processes import noted, parked, status
from support.processes import is_alive
from support.waiting import eventually

Refused = Callable[..., None]


@pytest.fixture
def ready(invoke: Invoke) -> Invoke:
    """The tables are there."""
    assert invoke("db", "upgrade").exit_code == 0
    return invoke


def rows(invoke: Invoke, *arguments: str) -> list[dict[str, Any]]:
    done = invoke(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_what_is_paused_is_listed_until_it_is_resumed(ready: Invoke) -> None:
    (made,) = rows(ready, "pause", "count_view", "--reason", "the new prices are wrong")
    assert (made["group"], made["handler"], made["key"]) == (None, "count_view", None)
    assert made["reason"] == "the new prices are wrong"
    assert "@" in made["paused_by"]
    assert made["resumed_by"] == "oyez resume count_view"
    (of_key,) = rows(ready, "pause", "cli.page.viewed", "--key", "it's")
    assert of_key["resumed_by"] == "oyez resume clishop.cli.page.viewed --key 'it'\"'\"'s'"
    (of_all,) = rows(ready, "pause", "--key", "s1")
    assert (of_all["group"], of_all["handler"], of_all["key"]) == (None, None, "s1")
    assert rows(ready, "pause") == [made, of_key, of_all]
    assert rows(ready, "resume", "count_view") == [made]
    assert rows(ready, "resume", "cli.page.viewed", "--key", "it's") == [of_key]
    assert rows(ready, "resume", "--all") == [of_all]
    assert rows(ready, "pause") == []
    assert "nothing is paused" in ready("pause").stderr


def test_a_pause_that_is_repeated_says_so(ready: Invoke) -> None:
    (made,) = rows(ready, "pause", "count_view", "--reason", "first")
    again = ready("pause", "count_view", "--reason", "second", "--json")
    assert json.loads(again.stdout) == [made]
    assert "the handler count_view was paused before, and stays so" in again.stderr


def test_status_shows_it(ready: Invoke) -> None:
    rows(ready, "pause", "clishop.cli.page.viewed", "--reason", "a move")
    rows(ready, "pause", "tick")
    by_group = {one["group"]: one["paused"] for one in rows(ready, "status", "--no-lag")}
    assert [one["reason"] for one in by_group["clishop.cli.page.viewed"]] == ["a move"]
    assert [one["handler"] for one in by_group["clishop.cli.ticked"]] == ["tick"]
    assert by_group["clishop.cli.session.started"] == []
    said = ready("status", "--no-lag").stdout
    assert "clishop.cli.page.viewed\t-\t-\t" in said
    assert "oyez resume clishop.cli.page.viewed" in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["pause", "count_vew"],
            4,
            ("clishop has no group and no handler count_vew", "did you mean count_view?"),
        ),
        (["pause", "xyzzy"], 4, ("clishop has no group and no handler xyzzy", "it has cli.page.viewed")),
        (["pause", "--reason", "why"], 2, ("--reason", "say what")),
        (["pause", "--key", "a\0b"], 2, ("no event has such a key",)),
        (["resume", "count_view"], 4, ("count_view is not paused", "the handler tick")),
        (["resume", "tick", "--key", "k"], 4, ("tick --key k is not paused", "the handler tick")),
        (["resume"], 2, ("or --all",)),
        (["resume", "tick", "--all"], 2, ("or --all",)),
    ],
)
def test_what_cannot_be_done_is_one_line(
    ready: Invoke, refused: Refused, arguments: list[str], code: int, words: tuple[str, ...]
) -> None:
    rows(ready, "pause", "tick")
    refused(arguments, code, *words)


def announce(shop: Shop, url: str, key: str = "s1") -> None:
    shop.print("announce", "cli.page.viewed", "-d", json.dumps({"session_id": key, "url": url}))


def test_explain_says_what_is_paused_and_how_to_resume_it(spooled_shop: Shop) -> None:
    spooled_shop.print("db", "upgrade")
    spooled_shop.print("pause", "open_visit", "--reason", "a bug")
    event = spooled_shop.print("announce", "901", "--key", "s1", "-d", "{}").strip()
    spooled_shop.print("sweep")
    said = spooled_shop.print("explain", event)
    assert "open_visit (clishop.cli.session.started): due, but paused since" in said
    assert ": a bug, since " in said
    assert "released by\toyez resume open_visit" in said
    spooled_shop.print("resume", "open_visit")
    spooled_shop.print("sweep")
    assert noted(spooled_shop) == ["started"]


def test_a_pause_outlives_a_worker_that_is_killed(spooled_shop: Shop) -> None:
    """A handler, then its whole group: paused, killed, started again, resumed; each event once, in order."""
    shop = spooled_shop
    shop.print("db", "upgrade")
    shop.print("announce", "901", "--key", "s1", "-d", "{}")
    with shop.running("listen") as listening:
        eventually(lambda: noted(shop) == ["started"])
        shop.print("pause", "count_view")
        eventually(lambda: "paused: the handler count_view" in listening.said())
        announce(shop, "/0")
        announce(shop, "/1")
        eventually(lambda: parked(shop) == 2)
        workers = psutil.Process(listening.process.pid).children()
        listening.process.send_signal(signal.SIGKILL)
        listening.process.wait(40)
        eventually(lambda: not any(map(is_alive, workers)))
    shop.print("pause", "cli.page.viewed")
    announce(shop, "/2")
    with shop.running("listen") as listening:
        eventually(lambda: "the group clishop.cli.page.viewed" in listening.said())
        shop.print("announce", "901", "--key", "s2", "-d", "{}")
        eventually(lambda: noted(shop) == ["started", "started"])
        assert parked(shop) == 2
        assert status(shop)["page.viewed"]["lag"] > 0
        shop.print("resume", "cli.page.viewed")
        eventually(lambda: parked(shop) == 3)
        assert noted(shop) == ["started", "started"]
        shop.print("resume", "count_view")
        eventually(lambda: parked(shop) == 0)
        assert listening.end(signal.SIGTERM) == 0
    assert noted(shop) == ["started", "started", "/0", "/1", "/2"]


def test_a_sweep_and_a_bounded_pass_leave_what_is_paused(spooled_shop: Shop) -> None:
    shop = spooled_shop
    shop.print("db", "upgrade")
    shop.print("announce", "901", "--key", "s1", "-d", "{}")
    announce(shop, "/0")
    shop.print("pause", "cli.session.started")
    shop.print("pause", "count_view")
    swept = shop.run("sweep")
    assert (swept.returncode, noted(shop)) == (0, [])
    assert (
        "clishop.cli.session.started: paused: the group clishop.cli.session.started; oyez pause"
        in swept.stderr
    )
    shop.print("listen", "--limit", "10")
    assert noted(shop) == []
    shop.print("resume", "--all")
    shop.print("listen", "--limit", "10")
    assert noted(shop) == ["started", "/0"]


def test_an_operator_may_run_chosen_deliveries_of_what_is_paused(spooled_shop: Shop) -> None:
    shop = spooled_shop
    shop.print("db", "upgrade")
    shop.print("pause", "count_view")
    announce(shop, "/0")
    announce(shop, "/1")
    shop.print("sweep")
    shop.print("retry", "release", "--yes")
    shop.print("sweep")
    assert noted(shop) == []
    shop.print("retry", "release", "--handler", "count_view", "--force", "--yes")
    assert noted(shop) == ["/0", "/1"]


def test_what_is_kept_of_a_paused_delivery_says_the_pause_in_words(ready: Invoke) -> None:
    rows(ready, "pause", "tick", "--reason", "a\nmove")
    done = ready("announce", "cli.ticked", "--transport", "inline", "-d", "{}")
    assert done.exit_code == 0, done.output
    (parked_now,) = rows(ready, "retry", "list")
    (line,) = [
        one
        for one in ready("retry", "show", parked_now["event_id"]).stdout.splitlines()
        if one.startswith("paused")
    ]
    said = parked_now["paused"]
    assert line == f"paused\tthe handler tick, since {said['since']}, by {said['paused_by']}: a\\nmove"
    (shown,) = rows(ready, "retry", "show", parked_now["event_id"])
    assert shown["paused"] == said
