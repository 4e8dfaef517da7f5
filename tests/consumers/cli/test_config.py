"""`oyez config show`: what is set, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.cli.running import Shop, one_line

FILE = """# the shop's
"app" = "shop:on"
database = "postgresql+psycopg://shop:hunter2@db/shop?password=hunter2"
schema = "events"

[kafka_options]
topic = "none of ours"
"sasl.password" = "hunter2"
compression.type = "lz4"
"""


@pytest.fixture
def plain(spooled_shop: Shop) -> Shop:
    """A shop of which nothing is set but by its file."""
    (spooled_shop.folder / "oyez.toml").write_text(FILE)
    return Shop(spooled_shop.folder, {})


def shown(shop: Shop, *arguments: str, code: int = 0, **settings: str) -> dict[str, dict[str, Any]]:
    done = shop.run(*arguments, "--json", **settings)
    assert done.returncode == code, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    return {row["variable"]: row for row in json.loads(done.stdout)}


def test_each_setting_has_its_value_and_where_it_is_from(plain: Shop) -> None:
    rows = shown(
        plain, "--topic", "before", "config", "show", "--kafka", "k:1", OYEZ_BATCH="7", oyez_budget="3"
    )
    places = {name: (row["value"], row["origin"], row["where"]) for name, row in rows.items()}
    assert places["OYEZ_APP"] == ("shop:on", "file", "oyez.toml, line 2")
    assert places["OYEZ_SCHEMA"] == ("events", "file", "oyez.toml, line 4")
    assert places["OYEZ_KAFKA_OPTIONS"] == (
        {"topic": "none of ours", "sasl.password": "***", "compression.type": "lz4"},
        "file",
        "oyez.toml, line 6",
    )
    assert places["OYEZ_TOPIC"] == ("before", "given", "the option --topic")
    assert places["OYEZ_KAFKA"] == ("k:1", "given", "the option --kafka")
    assert places["OYEZ_TRANSPORT"] == ("kafka", "inferred", None)
    assert places["OYEZ_BATCH"] == (7, "environment", "OYEZ_BATCH in the environment")
    assert places["OYEZ_BUDGET"] == (3.0, "environment", "oyez_budget in the environment")
    assert places["OYEZ_MAX_AGE"] == (86_400.0, "default", None)
    assert places["OYEZ_COLLECT_PORT"] == (8080, "default", None)


SECRETS = {
    "OYEZ_DATABASE_DIRECT": "postgresql://shop:hunter2@db/shop",
    "OYEZ_MAIL_PASSWORD": "hunter2",
    "OYEZ_DASHBOARD_PASSWORD": "http://hunter2/twelve",
    "OYEZ_COLLECT_KEYS": '{"hunter2": {"sources": ["/erp"], "signals": ["order.paid"]}}',
    "OYEZ_DATABAS": "sqlite:///hunter2",
}


@pytest.mark.parametrize("wrong", [{}, {"OYEZ_BATCH": "many"}, {"OYEZ_KAFKA_OPTIONS": "hunter2"}])
def test_no_secret_is_shown_also_where_something_is_wrong(plain: Shop, wrong: dict[str, str]) -> None:
    rows = shown(plain, "config", "show", code=3 if wrong else 0, **SECRETS, **wrong)
    assert rows["OYEZ_DATABASE"]["value"] == "postgresql+psycopg://shop:***@db/shop?password=***"
    assert rows["OYEZ_DATABASE_DIRECT"]["value"] == "postgresql://shop:***@db/shop"
    assert rows["OYEZ_MAIL_PASSWORD"]["value"] == rows["OYEZ_DASHBOARD_PASSWORD"]["value"] == "***"
    assert "***" in str(rows["OYEZ_COLLECT_KEYS"]["value"])
    unknown = rows["OYEZ_DATABAS"]
    assert unknown["value"] is None
    assert unknown["problem"].endswith("did you mean OYEZ_DATABASE?")
    assert {name for name, row in rows.items() if row["is_wrong"]} == set(wrong)


def test_a_wrong_value_and_a_name_that_is_none_have_lines_of_their_own(plain: Shop) -> None:
    done = plain.run("config", "show", "batch", OYEZ_BATCH="many")
    assert done.returncode == 3
    assert "OYEZ_BATCH\tmany\tOYEZ_BATCH in the environment\tInput should be a valid integer" in done.stdout
    assert done.stderr.startswith("oyez: OYEZ_BATCH in the environment: Input should be")
    (plain.folder / "oyez.toml").write_text("a = '''\ntopik = 1\n'''\ntopik = 2\n")
    done = plain.run("config", "show", "--set")
    assert done.returncode == 3
    assert (
        "oyez.toml, line 1: there is no setting a; oyez.toml, line 4: there is no setting topik"
        in done.stderr
    )


def test_settings_are_chosen_by_name_in_any_spelling(plain: Shop) -> None:
    lines = plain.print("config", "show", "kafka-options", "OYEZ_TOPIC", "app").splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == ["OYEZ_KAFKA_OPTIONS", "OYEZ_TOPIC", "OYEZ_APP"]
    one_line(plain.run("config", "show", "bacth"), 4, "there is no setting bacth; did you mean batch?")


def test_without_anything_set_only_the_defaults_are_there(plain: Shop) -> None:
    (plain.folder / "oyez.toml").unlink()
    done = plain.run("config", "show", "--set")
    assert (done.returncode, done.stdout) == (0, "")
    assert "all settings have their defaults" in done.stderr
    (plain.folder / "oyez.toml").write_text("app = ")
    one_line(plain.run("config", "show"), 2, "oyez.toml is not valid TOML")
