"""What is wrong around a command is said in a line or two that names the place, with the exit code for it; whoever does
not need what is wrong does its work. All commands of the listing, those that come later too.

test_every_command_long.py has the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from consumers.cli.arguments import ENDING, LINES, asks, line_of
from consumers.cli.running import Shop
from consumers.cli.troubles import (
    SOUND,
    code_of,
    ended,
    folder,
    nowhere,
    prepared,
    settings,
    spool_may_not_be_read,
)

__all__ = ["folder", "nowhere", "prepared"]


def test_every_command_has_a_line() -> None:
    """A new one gets it in arguments.py, with what it cannot do without."""
    assert sorted(LINES) == sorted(ENDING)


@pytest.mark.parametrize("name", ENDING)
def test_the_database_is_away(name: str, folder: Path, nowhere: str) -> None:
    away = f"postgresql+psycopg://oyez@{nowhere}/oyez"
    done = Shop(folder, settings(DATABASE=away)).run(*line_of(name))
    ended(done, code_of(name, "away", "database", 5), *([away] if asks(name, "database") else []))


@pytest.mark.parametrize("name", [name for name in ENDING if asks(name, "folder") or asks(name, "spool")])
def test_the_spool_is_not_there(name: str, folder: Path) -> None:
    """Who is to look at a spool says so; to others nothing was announced yet."""
    shutil.rmtree(folder / "spool")
    done = Shop(folder, settings()).run(*line_of(name))
    words = ["there is no folder spool"] if asks(name, "folder") else []
    found = {"export": 4, "forget": 4}.get(name, SOUND.get(name, 0))  # there is nothing to be found then
    ended(done, 4 if words else found, *words)


@pytest.mark.parametrize("name", [name for name in ENDING if asks(name, "spool")])
def test_the_spool_may_not_be_read(name: str, folder: Path) -> None:
    spool_may_not_be_read(name, folder)


def test_a_line_that_names_nothing_is_found_out(folder: Path, nowhere: str) -> None:
    done = Shop(folder, settings(DATABASE=f"postgresql+psycopg://oyez@{nowhere}/oyez")).run("status")
    with pytest.raises(AssertionError):
        ended(done, 5, "another place")
