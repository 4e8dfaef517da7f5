"""Deployments, closed when their test ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.deployment import Deployment
from integration.shop import shop, ticker
from integration.stepped_workers import Workers


@pytest.fixture
def deployment(database: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Deployment]:
    """The shop on a fresh topic and a fresh database, of each kind in turn."""
    made = Deployment(database, kafka, topic, tmp_path)
    yield made
    made.close()


@pytest.fixture
def workers(deployment: Deployment) -> Iterator[Workers]:
    """Workers of the shop, stepped in this process."""
    made = Workers(deployment, shop(deployment.app))
    yield made
    made.close()


@pytest.fixture
def tickers(deployment: Deployment) -> Iterator[Workers]:
    """Workers of the application that only notes ticks."""
    made = Workers(deployment, ticker(deployment.app))
    yield made
    made.close()
