"""Stages, closed when their test ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from consumers.stage import Play, Stage
from oyez.consumers import Handlers


@pytest.fixture
def play(database: str) -> Iterator[Play]:
    """Makes stages on a fresh database, of each kind in turn."""
    stages: list[Stage] = []

    def make(on: Handlers, **said: Any) -> Stage:
        stages.append(Stage(database, on, **said))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()
