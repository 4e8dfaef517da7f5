"""Which commands may set the journal mode of an SQLite file: it stays in the file, for whoever opens it next."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.cli.running import Shop

EVENT = ("-d", '{"session_id": "s1"}')


@pytest.fixture
def careful(spooled_shop: Shop) -> Shop:
    """Its file is in the mode that is set for its workers. The shell from here on has no such setting."""
    done = spooled_shop.run("db", "upgrade", OYEZ_SQLITE_JOURNAL="delete")
    assert done.returncode == 0, done.stderr
    assert mode_of(spooled_shop) == "delete"
    return spooled_shop


def mode_of(shop: Shop) -> str:
    """What the file says of itself, in its header."""
    file = Path(shop.settings["OYEZ_DATABASE"].removeprefix("sqlite:///"))
    return {b"\1\1": "delete", b"\2\2": "wal"}[file.read_bytes()[18:20]]


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "doctor",
        "db check",
        "retry list",
        "retry release --yes",
        "dead groups",
        "met 901 s1",
        "pause --key s1 cli.page.viewed",
        "outbox status",
        "scheduled list",
        "mail status",
        "timeline s1",
        "export s1",
        "rewind cli.page.viewed --to earliest --yes",
        "group rename clishop.one clishop.other",
    ],
)
def test_who_looks_or_operates_takes_the_file_as_it_is(careful: Shop, command: str) -> None:
    said = careful.run(*command.split()).stderr
    assert "Usage" not in said
    assert mode_of(careful) == "delete", said


@pytest.mark.parametrize(
    "command",
    [
        ("db", "upgrade"),
        ("sweep",),
        ("listen", "--limit", "1"),
        ("announce", "901", "--transport", "inline", *EVENT),
    ],
    ids=lambda command: command[0],
)
def test_who_works_sets_what_is_set(careful: Shop, command: tuple[str, ...]) -> None:
    done = careful.run(*command)
    assert mode_of(careful) == "wal", done.stderr
    careful.run(*command, OYEZ_SQLITE_JOURNAL="delete")
    assert mode_of(careful) == "delete"
