"""Stages with a crew of handlers that fail as they are told."""

from __future__ import annotations

from collections.abc import Callable

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
