"""Pipelines with lanes, closed when their test ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consumers.lanes.lane_pipeline import LanePipeline
from consumers.pipeline import Play
from oyez.consumers import Handlers


@contextmanager
def made(url: str) -> Iterator[Play]:
    pipelines: list[LanePipeline] = []

    def make(on: Handlers, **said: Any) -> LanePipeline:
        pipelines.append(LanePipeline(url, on, **said))
        return pipelines[-1]

    yield make
    for pipeline in pipelines:
        pipeline.close()


@pytest.fixture
def lanes(pipeline_database: str) -> Iterator[Play]:
    """Makes pipelines with lanes on one database, of each kind in turn."""
    with made(pipeline_database) as make:
        yield make


@pytest.fixture
def many(pipeline_postgres: str) -> Iterator[Play]:
    """The same on PostgreSQL alone, where lanes run beside one another with their transactions."""
    with made(pipeline_postgres) as make:
        yield make
