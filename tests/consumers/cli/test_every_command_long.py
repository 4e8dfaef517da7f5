"""As test_every_command.py: nothing wrong, no tables, no Kafka, and a spool that is of no concern."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.cli.arguments import ENDING, asks, line_of
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


@pytest.mark.parametrize("name", ENDING)
def test_an_empty_database_and_one_event(name: str, folder: Path) -> None:
    ended(Shop(folder, settings()).run(*line_of(name)), SOUND.get(name, 0))


@pytest.mark.parametrize("name", ENDING)
def test_the_tables_are_not_made(name: str, folder: Path) -> None:
    (folder / "oyez.db").unlink()
    done = Shop(folder, settings()).run(*line_of(name))
    ended(
        done,
        code_of(name, "no tables", "database", 1),
        *(["sqlite:///oyez.db"] if asks(name, "database") else []),
    )


@pytest.mark.parametrize("name", [name for name in ENDING if not asks(name, "spool")])
def test_the_spool_may_not_be_read_by_who_does_not_need_it(name: str, folder: Path) -> None:
    spool_may_not_be_read(name, folder)


@pytest.mark.parametrize("name", ENDING)
def test_kafka_is_away(name: str, folder: Path, nowhere: str) -> None:
    done = Shop(folder, settings(TRANSPORT="kafka", KAFKA=nowhere)).run(*line_of(name))
    words = [f"Kafka at {nowhere} cannot be reached"] if asks(name, "log") else []
    ended(done, code_of(name, "no Kafka", "log", 5), *words)
