"""Running applications, closed when their test ends; services that a test may stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.rows.running_app import RunningApp
from oyez.consumers.dev import Kafka, Postgres
from support.services import UNSAFE

Place = Callable[..., RunningApp]


@pytest.fixture
def running_app(postgres: str, kafka: str, tmp_path: Path) -> Iterator[Place]:
    """Makes a running application on PostgreSQL, with settings."""
    made: list[RunningApp] = []

    def make(**said: Any) -> RunningApp:
        made.append(RunningApp(postgres, kafka, tmp_path, **said))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def own_kafka() -> Iterator[Kafka]:
    """A broker that the test may stop."""
    with Kafka() as broker:
        yield broker


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that the test may stop."""
    with Postgres(settings=UNSAFE) as server:
        yield server
