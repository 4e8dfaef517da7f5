"""The command line, in this process and in others."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from consumers.cli.running import APPS, Shop
from oyez.consumers.cli import app

Invoke = Callable[..., Result]


@pytest.fixture
def shop(kafka: str, topic: str, sqlite: str, tmp_path: Path) -> Shop:
    """The shop on a real Kafka and an SQLite file without tables."""
    settings = {
        "OYEZ_APP": "shop:on",
        "OYEZ_KAFKA": kafka,
        "OYEZ_TOPIC": topic,
        "OYEZ_DATABASE": sqlite,
        "OYEZ_SOURCE": "web-1",
    }
    return Shop(tmp_path, settings)


@pytest.fixture
def spooled_shop(sqlite: str, tmp_path: Path) -> Shop:
    """The shop on a spool and an SQLite file without tables: it needs no service."""
    settings = {
        "OYEZ_APP": "shop:on",
        "OYEZ_TRANSPORT": "spool",
        "OYEZ_DATABASE": sqlite,
        "OYEZ_SOURCE": "web-1",
    }
    return Shop(tmp_path, settings)


@pytest.fixture
def as_before() -> Iterator[None]:
    """What a command configures in its process is undone."""
    signals = {kind: signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGINT)}
    yield
    for kind, handler in signals.items():
        signal.signal(kind, handler)


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_before: None) -> Invoke:
    """Run a command in this process, in a folder of its own, with the shop and an SQLite file as settings."""
    for name in [name for name in os.environ if name.startswith("OYEZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(APPS))
    monkeypatch.setenv("OYEZ_APP", "shop:on")
    monkeypatch.setenv("OYEZ_TRANSPORT", "memory")

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given)

    return run


@pytest.fixture
def refused(invoke: Invoke) -> Callable[..., None]:
    """Assert that a command ends with this code and one line that has these words."""

    def refuse(arguments: list[str], code: int, *words: str, given: str | None = None) -> None:
        result = invoke(*arguments, given=given)
        lines = [line for line in result.stderr.splitlines() if line != "imported"]
        assert (result.exit_code, len(lines)) == (code, 1), result.output
        for word in words:
            assert word in lines[0]
        assert result.stdout == ""

    return refuse
