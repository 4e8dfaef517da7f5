"""No command prints a password, wherever it stands in the address of the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from consumers.cli.conftest import Invoke

SECRET = "s3cr3t"
ADDRESSES = {
    "in the query": f"postgresql+psycopg://127.0.0.1:1/shop?user=me&password={SECRET}",
    "another's in the query": f"postgresql+psycopg://me@127.0.0.1:1/shop?sslpassword={SECRET}",
    "an option that is misspelt": f"postgresql+psycopg://me@127.0.0.1:1/shop?passwort={SECRET}",
    "not quoted": f"postgresql+psycopg://me:p@{SECRET}@127.0.0.1:1/shop",
    "where the port is": f"postgresql+psycopg://127.0.0.1:me:{SECRET}/shop",
    "another name": f"postgres://me:{SECRET}@127.0.0.1:1/shop",
    "no address": f"me:{SECRET}@127.0.0.1:1/shop",
    "in quotes": f'"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/shop"',
}
COMMANDS = [
    ["db", "check"],
    ["--debug", "db", "upgrade"],
    ["--debug", "--log-format", "json", "listen"],
    ["sweep"],
    ["status"],
]


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_of_a_database_that_cannot_be_reached(
    address: str, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_DATABASE", address)
    for command in COMMANDS:
        done = invoke(*command)
        assert done.exit_code != 0
        assert SECRET not in done.output, command


def test_of_one_that_is_there(invoke: Invoke, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = make_url(postgres)
    query = {"user": str(found.username), "password": found.password or SECRET}
    address = URL.create(
        found.drivername, host=found.host, port=found.port, database=found.database, query=query
    )
    monkeypatch.setenv("OYEZ_DATABASE", address.render_as_string(hide_password=False))
    for command in [["db", "upgrade"], ["db", "check"], ["status", "--json"], ["status"], ["-v", "sweep"]]:
        done = invoke(*command)
        assert done.exit_code == 0, done.output
        assert query["password"] not in done.output, command
    (state, *_) = json.loads(invoke("status", "--json").stdout)
    assert state["database"].endswith(f"/{found.database}?password=***&user={found.username}")


def test_of_one_that_was_given_where_it_does_not_belong(invoke: Invoke) -> None:
    address = ADDRESSES["in the query"].replace("://", f"://me:{SECRET}@")
    for command in (["db", "check"], ["announce"], ["--transport"], ["--app"], ["retry"]):
        done = invoke(*command, address)
        assert done.exit_code in (2, 4), done.output
        assert SECRET not in done.output, command


def test_of_settings_that_somebody_prints() -> None:
    from oyez.consumers import ListenSettings

    secret = ListenSettings(
        database=ADDRESSES["in the query"], kafka_options={"sasl.password": SECRET}, mail_password=SECRET
    )
    assert SECRET not in f"{secret!r} {secret}"


KEYS = {
    "something is missing": f'{{"{SECRET}": {{"sources": ["/erp"]}}}}',
    "something is too much": f'{{"{SECRET}": {{"sources": ["/erp"], "signals": [], "signal": []}}}}',
    "a level is missing": f'{{"sources": {{"{SECRET}": ["/erp"]}}}}',
    "a table is missing": f'{{"{SECRET}": ["/erp"]}}',
}
FILES = {
    "something is missing": f'[collect_keys.{SECRET}]\nsources = ["/erp"]\n',
    "a table twice": f"[collect_keys.{SECRET}]\n[collect_keys.{SECRET}]\n",
    "a table in quotes twice": f"[collect_keys.'a\\'{SECRET}']\n[collect_keys.'a\\'{SECRET}']\n",
    "a name twice": f"collect_keys = {{{SECRET} = 1, {SECRET} = 2}}\n",
    "a table that is written": f"collect_keys = {{{SECRET} = {{}}}}\n[collect_keys.{SECRET}]\n",
    "a table below what is written": f"collect_keys.{SECRET}.sources = []\n[collect_keys.{SECRET}.sources]\n",
}
WITH_SETTINGS = [["collect"], ["config", "show"], ["config", "check"], ["doctor"], ["--debug", "listen"]]


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_of_a_key_whose_settings_are_wrong(
    keys: str, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_COLLECT_KEYS", keys)
    monkeypatch.setenv("OYEZ_TRANSPORT", "spool")
    for command in WITH_SETTINGS:
        assert SECRET not in invoke(*command).output, command
    assert "collect_keys.***" in invoke("collect").output


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_of_a_key_in_a_file_that_is_wrong(text: str, invoke: Invoke) -> None:
    Path("oyez.toml").write_text(text)
    for command in WITH_SETTINGS:
        assert SECRET not in invoke(*command).output, command


def test_what_is_missing_of_a_key_is_said(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_COLLECT_KEYS", KEYS["something is missing"])
    assert "collect_keys.***.signals: Field required" in invoke("collect").output


def test_where_a_file_says_something_twice_is_said(invoke: Invoke) -> None:
    Path("oyez.toml").write_text(FILES["a table twice"])
    assert (
        "oyez.toml is not valid TOML: Cannot declare *** twice (at line 2, column"
        in invoke("db", "check").output
    )


def test_which_option_of_the_client_is_wrong_is_said(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_KAFKA_OPTIONS", f'{{"sasl.password": ["{SECRET}"]}}')
    said = invoke("status").output
    assert "kafka_options.sasl.password" in said
    assert SECRET not in said
