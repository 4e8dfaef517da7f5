"""Pipelines, and what operators do to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consumers.admin.admin_pipeline import Operator
from consumers.admin.cafe_commands import Cafe
from consumers.conftest import (
    pipeline_database,
    pipeline_postgres,
    pipeline_sqlite,
    play,
    prepared_postgres,
    prepared_sqlite,
)
from consumers.pipeline import Play
from oyez.consumers import Handlers

__all__ = [
    "pipeline_database",
    "pipeline_postgres",
    "pipeline_sqlite",
    "play",
    "prepared_postgres",
    "prepared_sqlite",
]

OperatorPipeline = Callable[..., Operator]


@pytest.fixture
def operator(play: Play) -> OperatorPipeline:
    """Makes a pipeline with an operator, on each database in turn."""

    def make(on: Handlers, **said: object) -> Operator:
        return Operator(play(on, **said))

    return make


@pytest.fixture
def cafe(pipeline_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cafe]:
    """The café, on each database in turn."""
    opened = Cafe(pipeline_database, tmp_path, monkeypatch)
    yield opened
    opened.pipeline.close()
