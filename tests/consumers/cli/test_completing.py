"""What a shell completes, and what a command says of a name that is none."""

from __future__ import annotations

import pytest

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
