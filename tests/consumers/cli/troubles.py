"""What may be wrong around a command, and how each of them ends then."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.cli.arguments import SIGNALS, asks, line_of
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


def settings(**others: str) -> dict[str, str]:
    usual = {"APP": "shop:on", "TRANSPORT": "spool", "DATABASE": "sqlite:///oyez.db", "HEALTH": "health"}
    return {f"OYEZ_{name}": value for name, value in {**usual, **others}.items()}


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


def spool_may_not_be_read(name: str, folder: Path) -> None:
    """Run it, and assert how it ends."""
    (folder / SPOOL).chmod(0)
    done = Shop(folder, settings()).run(*line_of(name), before=modes_count)
    (folder / SPOOL).chmod(0o700)
    words = [f"{SPOOL}: Permission denied"] if asks(name, "spool") else []
    ended(done, code_of(name, "unreadable", "spool", 1), *words)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables, and with an event in the spool."""
    folder = tmp_path_factory.mktemp("shop")
    shop = Shop(folder, settings())
    shop.print("db", "upgrade")
    shop.print(*line_of("announce"))
    (folder / SIGNALS).write_text(shop.print("signals", "--json-schema"))
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(prepared, tmp_path / "copied"))


@pytest.fixture(scope="module")
def nowhere() -> Iterator[str]:
    """An address at which nobody answers: it is taken, and not listened at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"
