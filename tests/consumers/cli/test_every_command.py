"""What is wrong around a command is said in a line or two that names the place, with the exit code for it; whoever does
not need what is wrong does its work. All commands of the listing, those that come later too."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.cli.arguments import ENDING, LINES, SIGNALS, asks, line_of
from consumers.cli.running import Shop
from support.unprivileged import modes_count

SPOOL = "spool/oyez.events"
SOUND = {  # the exit codes of lines that find nothing, or have something missing, also where nothing is wrong
    "init": 2,
    "collect": 2,
    "dashboard": 2,
    "mail send": 2,
    "healthy": 1,
    "spool ship": 5,
    **dict.fromkeys(
        ["rewind", "resume", "explain", "timeline", "retry show", "dead show", "mail show", "group rename"], 4
    ),
}
ITS_OWN = {  # a check says what it finds, and goes on; who makes the tables needs none
    ("doctor", "away"): 3,
    ("doctor", "no tables"): 3,
    ("doctor", "unreadable"): 3,
    ("doctor", "no Kafka"): 3,
    ("db check", "no tables"): 3,
    ("db upgrade", "no tables"): 0,
    ("announce", "unreadable"): 1,
}
MOST_LINES = 3


@pytest.fixture(scope="module")
def nowhere() -> Iterator[str]:
    """An address at which nobody answers: it is taken, and not listened at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables, and with an event in the spool."""
    shop = Shop(tmp_path_factory.mktemp("shop"), settings())
    shop.print("db", "upgrade")
    shop.print(*line_of("announce"))
    (shop.folder / SIGNALS).write_text(shop.print("signals", "--json-schema"))
    return shop.folder


def settings(**others: str) -> dict[str, str]:
    usual = {"APP": "shop:on", "TRANSPORT": "spool", "DATABASE": "sqlite:///oyez.db", "HEALTH": "health"}
    return {f"OYEZ_{name}": value for name, value in {**usual, **others}.items()}


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "copied"))


def ended(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """It ended with this code, and a few lines, one of which names the place."""
    lines = [line for line in done.stderr.splitlines() if line != "imported"]
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.returncode == code, done.stderr
    assert len(lines) <= MOST_LINES, done.stderr
    assert all(line.startswith("oyez: ") for line in lines), done.stderr
    for word in words:
        assert word in done.stdout + done.stderr


def code_of(name: str, trouble: str, needs: str, code: int) -> int:
    """What it ends with in this trouble, which is of what commands with ``needs`` ask."""
    usual = code if asks(name, needs) else SOUND.get(name, 0)
    return ITS_OWN.get((name, trouble), usual)


def test_every_command_has_a_line() -> None:
    """A new one gets it in arguments.py, with what it cannot do without."""
    assert sorted(LINES) == sorted(ENDING)


@pytest.mark.parametrize("name", ENDING)
def test_an_empty_database_and_one_event(name: str, folder: Path) -> None:
    ended(Shop(folder, settings()).run(*line_of(name)), SOUND.get(name, 0))


@pytest.mark.parametrize("name", ENDING)
def test_the_database_is_away(name: str, folder: Path, nowhere: str) -> None:
    away = f"postgresql+psycopg://oyez@{nowhere}/oyez"
    done = Shop(folder, settings(DATABASE=away)).run(*line_of(name))
    ended(done, code_of(name, "away", "database", 5), *([away] if asks(name, "database") else []))


@pytest.mark.parametrize("name", ENDING)
def test_the_tables_are_not_made(name: str, folder: Path) -> None:
    (folder / "oyez.db").unlink()
    done = Shop(folder, settings()).run(*line_of(name))
    ended(
        done,
        code_of(name, "no tables", "database", 1),
        *(["sqlite:///oyez.db"] if asks(name, "database") else []),
    )


@pytest.mark.parametrize("name", [name for name in ENDING if asks(name, "folder") or asks(name, "spool")])
def test_the_spool_is_not_there(name: str, folder: Path) -> None:
    """Who is to look at a spool says so; to others nothing was announced yet."""
    shutil.rmtree(folder / "spool")
    done = Shop(folder, settings()).run(*line_of(name))
    words = ["there is no folder spool"] if asks(name, "folder") else []
    found = {"export": 4, "forget": 4}.get(name, SOUND.get(name, 0))  # there is nothing to be found then
    ended(done, 4 if words else found, *words)


@pytest.mark.parametrize("name", ENDING)
def test_the_spool_may_not_be_read(name: str, folder: Path) -> None:
    (folder / SPOOL).chmod(0)
    done = Shop(folder, settings()).run(*line_of(name), before=modes_count)
    (folder / SPOOL).chmod(0o700)
    words = [f"{SPOOL}: Permission denied"] if asks(name, "spool") else []
    ended(done, code_of(name, "unreadable", "spool", 1), *words)


@pytest.mark.parametrize("name", ENDING)
def test_kafka_is_away(name: str, folder: Path, nowhere: str) -> None:
    done = Shop(folder, settings(TRANSPORT="kafka", KAFKA=nowhere)).run(*line_of(name))
    words = [f"Kafka at {nowhere} cannot be reached"] if asks(name, "log") else []
    ended(done, code_of(name, "no Kafka", "log", 5), *words)


def test_a_line_that_names_nothing_is_found_out(folder: Path, nowhere: str) -> None:
    done = Shop(folder, settings(DATABASE=f"postgresql+psycopg://oyez@{nowhere}/oyez")).run("status")
    with pytest.raises(AssertionError):
        ended(done, 5, "another place")
