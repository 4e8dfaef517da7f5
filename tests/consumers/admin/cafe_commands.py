"""The café at work: its workers in this process, its operators at the command line."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from consumers.pipeline import Pipeline
from oyez.consumers.cli import app
from oyez.schemas import Signal, catalogue

APPS = Path(__file__).parent / "apps"
WEEK = 604_800.0


class Cafe:
    """A pipeline of a week ago, and commands of today over its database."""

    def __init__(self, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(APPS))
        monkeypatch.chdir(folder)
        settings = {"APP": "cafe:on", "DATABASE": url, "TRANSPORT": "memory", "MAX_ATTEMPTS": "2"}
        for name, value in settings.items():
            monkeypatch.setenv(f"OYEZ_{name}", value)
        self.module: Any = importlib.import_module("cafe")
        self.module.broken.clear()
        self.pipeline = Pipeline(url, self.module.on, signals=catalogue, max_attempts=2, max_age=100.0)
        self.pipeline.clock.now = time.time() - WEEK

    def handle(self, *events: Signal) -> None:
        self.pipeline.handle(*events)

    def all_die(self) -> None:
        """Time passes until nothing is parked any more."""
        for _ in range(2_000):
            if not self.pipeline.rows("parked", "id"):
                return
            self.pipeline.later(101.0)
        raise AssertionError("something stays parked")

    def today(self) -> None:
        """The workers work on, at the time at which commands are given."""
        self.pipeline.clock.now = time.time() + 1
        self.pipeline.run()

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command prints as JSON."""
        result = self.call(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def refused(self, code: int, *arguments: str) -> str:
        """The one line with which a command ends."""
        result = self.call(*arguments)
        lines = result.stderr.splitlines()
        assert (result.exit_code, len(lines)) == (code, 1), result.output
        return lines[0]
