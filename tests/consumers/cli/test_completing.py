"""What a shell completes, and what a command says of a name that is none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from consumers.cli.conftest import Invoke
from consumers.cli.running import Shop, one_line


def completed(shop: Shop, words: str, **settings: str) -> list[str]:
    """What bash is given for the last of these words, as typer asks for it."""
    asked = {"_OYEZ_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = shop.run(**asked, **settings)
    assert "Traceback" not in done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("oyez doc", ["doctor"]),
        ("oyez tail cli.s", ["cli.session.started"]),
        ("oyez announce cli.p", ["cli.page.viewed"]),
        ("oyez pause coun", ["count_view"]),
        ("oyez rewind clishop.cli.t", ["clishop.cli.ticked"]),
        ("oyez listen cli.t", ["cli.ticked"]),
        ("oyez retry list --handler open", ["open_visit"]),
        ("oyez config show batc", ["batch"]),
    ],
)
def test_names_of_the_application_are_completed(spooled_shop: Shop, words: str, found: list[str]) -> None:
    assert completed(spooled_shop, words) == found


def test_the_application_may_be_named_before_the_command(spooled_shop: Shop) -> None:
    words = "oyez --app shop:on tail cli.t"
    assert completed(spooled_shop, words, OYEZ_APP="nowhere:on") == ["cli.ticked"]


@pytest.mark.parametrize("app", ["", "nowhere:on", "broken:on"])
def test_an_application_that_cannot_be_imported_completes_nothing(spooled_shop: Shop, app: str) -> None:
    assert completed(spooled_shop, "oyez tail cli.", OYEZ_APP=app) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["statsu"], 2, "Did you mean 'status'?"),
        (["listen", "cli.page.veiwed"], 4, "did you mean cli.page.viewed?"),
        (["announce", "cli.page.veiwed", "-d", "{}"], 4, "did you mean cli.page.viewed?"),
        (["rewind", "cli.tikced", "--to", "latest"], 4, "did you mean cli.ticked?"),
        (["pause", "open_vist"], 4, "did you mean open_visit?"),
        (["--transport", "kafak", "status"], 2, "did you mean kafka?"),
        (["config", "show", "tpoic"], 4, "did you mean topic?"),
    ],
)
def test_a_name_that_is_none_is_told_with_the_nearest(
    spooled_shop: Shop, arguments: list[str], code: int, words: str
) -> None:
    spooled_shop.print("db", "upgrade")
    one_line(spooled_shop.run(*arguments), code, words)


def test_the_nearest_module_and_what_filters_name(spooled_shop: Shop) -> None:
    (spooled_shop.folder / "orders.py").write_text("")
    one_line(spooled_shop.run("signals", "--app", "ordrs:on"), 2, "did you mean orders?")
    spooled_shop.print("db", "upgrade")
    done = spooled_shop.run("dead", "retry", "--handler", "conut_view", "--yes")
    assert done.returncode == 0
    assert "clishop has no handler conut_view; did you mean count_view?" in done.stderr


NOWHERE = [
    ("retry list --signal cli.tikced", "clishop has no signal cli.tikced; did you mean cli.ticked?"),
    ("retry list --handler conut_view", "clishop has no handler conut_view; did you mean count_view?"),
    ("retry show e1 --handler conut_view", "clishop has no handler conut_view; did you mean count_view?"),
    ("dead list --json --signal cli.tikced", "clishop has no signal cli.tikced; did you mean cli.ticked?"),
    ("dead groups --handler conut_view", "clishop has no handler conut_view; did you mean count_view?"),
    ("dead discard --yes --signal cli.tikced", "clishop has no signal cli.tikced; did you mean cli.ticked?"),
    ("scheduled list --signal cli.tikced", "clishop has no signal cli.tikced; did you mean cli.ticked?"),
    (
        "scheduled cancel --yes --signal cli.tikced",
        "clishop has no signal cli.tikced; did you mean cli.ticked?",
    ),
]


def test_each_filter_tells_the_nearest_of_a_name_that_is_none(invoke: Invoke) -> None:
    invoke("db", "upgrade")
    for command, words in NOWHERE:
        assert words in invoke(*command.split()).stderr, command


def test_a_name_that_something_stored_has_is_none_that_is_wrong(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal that is not declared any more; and without an application nobody knows the names."""
    invoke("db", "upgrade")
    later = str(datetime(2099, 1, 1, tzinfo=UTC).timestamp())
    row = f"'cli.tikced', 'web-1', 'e1', 't', 'k', {later}, {later}, x'7b7d'"
    names = "signal, source, event_id, topic, key, due_at, scheduled_at, value"
    with closing(sqlite3.connect("oyez.db")) as db, db:
        db.execute(f"INSERT INTO oyez_scheduled ({names}) VALUES ({row})")
    for command in ("scheduled list --signal cli.tikced", "retry list --signal cli.tikced"):
        assert "has no signal" not in invoke(*command.split()).stderr
    assert "has no signal cli.tikt" in invoke("retry", "list", "--signal", "cli.tikt").stderr
    monkeypatch.setenv("OYEZ_APP", "")
    assert invoke("retry", "list", "--signal", "cli.tikt").stderr == "oyez: nothing is parked\n"
