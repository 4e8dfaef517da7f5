"""What is refused, with which exit code, and in what words."""

import logging
from collections.abc import Callable

import pytest

from consumers.cli.conftest import Invoke
from oyez.consumers.cli.common import logging as logs
from oyez.consumers.cli.common import output

Refused = Callable[..., None]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["listen", "--workers", "0"], "--workers"),
        (["listen", "--what"], "No such option"),
        (["sing"], "No such command"),
        (["announce"], "SIGNAL"),
        (["sweep", "--every", "often"], "--every"),
        (["dev", "--no-kafka", "--no-postgres"], "leave nothing to run"),
        (["listen", "--app", "shop"], "write it module:handlers"),
        (["listen", "--app", "nowhere:on"], "there is no module nowhere"),
        (["listen", "--app", "broken:on"], "no_such_package"),
        (["listen", "--app", "ending:on"], "ending cannot be imported: SystemExit"),
        (["listen", "--app", "shop:off"], "there is on"),
        (["listen", "--app", "twice:on"], "two handlers named remember"),
        (["listen", "--app", "generating:on"], "generator handlers are not supported"),
        (["listen", "--app", "unmet:on"], "cli.opened, which unmet does not handle"),
        (["announce", "cli.ticked", "--transport", "pigeon"], "transport 'pigeon'"),
        (["announce", "cli.ticked", "--topic", "a b"], "topic"),
        (["db", "check", "--database", "mysql://localhost/x"], "PostgreSQL and SQLite"),
        (["db", "check", "--database", "what"], "cannot be read"),
        (["group", "rename", "a.b", "c.b"], "one application"),
        (["group", "rename", "a.b", "a"], "full names"),
        (["group", "rename", "a.b", "a.b"], "the same name"),
    ],
)
def test_wrong_usage(refused: Refused, arguments: list[str], words: str) -> None:
    refused(arguments, 2, words)


def test_no_application(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OYEZ_APP")
    refused(["listen"], 2, "--app", "OYEZ_APP")


def test_a_password_is_not_shown(refused: Refused) -> None:
    refused(["db", "check", "--database", "postgresql+nope://me:secret@h/x"], 2, "cannot be read")
    refused(["db", "check", "--database", "postgresql://me:secret@h:port/x"], 2, "cannot be read")


@pytest.mark.parametrize("signal", ["cli.page.view", "9999"])
def test_an_unknown_signal(refused: Refused, signal: str) -> None:
    refused(["announce", signal, "-d", "{}"], 4, "unknown signal")


def test_an_unknown_group(refused: Refused) -> None:
    refused(["listen", "nothing"], 4, "has no group nothing", "clishop.cli.ticked")


def test_what_is_said_gives_no_orders_to_the_terminal(
    refused: Refused, as_before: None, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(["listen", "red\x1b[31m\nred"], 4, r"no group red\x1b[31m red")
    output.note("red\x1b[31m")
    logs.configure()
    logging.getLogger("oyez").warning("red\x1b[31m\nred")
    noted, logged = capsys.readouterr().err.splitlines()
    assert noted == r"oyez: red\x1b[31m"
    assert logged.endswith(r" WARNING red\x1b[31m red")


def test_without_a_command_there_is_help(invoke: Invoke) -> None:
    result = invoke()
    assert result.exit_code == 2
    assert "announce" in result.output


def test_the_version(invoke: Invoke) -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("oyez ")


def test_a_traceback_only_where_it_is_asked_for(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" in invoke("--debug", "listen", "--app", "broken:on").stderr
    monkeypatch.setenv("OYEZ_DEBUG", "1")
    assert "Traceback" in invoke("listen", "--app", "broken:on").stderr


def test_settings_come_from_flags_then_the_environment_then_the_file(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    # In the working directory, which the fixture has made its own.
    with open("oyez.toml", "w") as file:  # noqa: PTH123
        file.write('database = "sqlite:///file.db"\n')
    refused(["db", "check"], 3, "file.db")
    monkeypatch.setenv("OYEZ_DATABASE", "sqlite:///environment.db")
    refused(["db", "check"], 3, "environment.db")
    refused(["--database", "sqlite:///before.db", "db", "check"], 3, "before.db")
    refused(["--database", "sqlite:///before.db", "db", "check", "--database", "sqlite:///f.db"], 3, "f.db")


def test_a_list_that_is_no_json(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_SPOOLS", "/a")
    refused(["spool", "status"], 2, "OYEZ_SPOOLS is not JSON", '; write it such as ["/srv/web-1"]')
    monkeypatch.setenv("OYEZ_SPOOLS", '"/a"')
    refused(["spool", "status"], 2, "spools", "(from OYEZ_SPOOLS)")


def test_a_file_of_settings_that_is_no_toml(refused: Refused) -> None:
    with open("oyez.toml", "w") as file:  # noqa: PTH123
        file.write("database = \n")
    refused(["db", "check"], 2, "oyez.toml is not valid TOML")
