"""Stages with a crew of handlers that fail as they are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consumers.conftest import (
    play,
    prepared_postgres,
    prepared_sqlite,
    stage_database,
    stage_postgres,
    stage_sqlite,
)
from consumers.stage import Play
from levers.bench import Bench
from levers.place import Cafe
from oyez.consumers import Handlers

__all__ = [
    "play",
    "prepared_postgres",
    "prepared_sqlite",
    "stage_database",
    "stage_postgres",
    "stage_sqlite",
]

Benched = Callable[..., Bench]


@pytest.fixture
def bench(play: Play) -> Benched:
    """Makes a bench for handlers, on each database in turn."""

    def make(on: Handlers, **said: object) -> Bench:
        return Bench(play(on, **said))

    return make


@pytest.fixture
def cafe(stage_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cafe]:
    """The café, on each database in turn."""
    logger = logging.getLogger("oyez")
    before = logger.handlers, logger.level, logger.propagate
    opened = Cafe(stage_database, tmp_path, monkeypatch)
    yield opened
    opened.stage.close()
    logger.handlers, logger.level, logger.propagate = before
