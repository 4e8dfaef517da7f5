"""Sites, closed when their test ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.crew import Crew
from integration.shop import shop, ticker
from integration.site import Site


@pytest.fixture
def site(database: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Site]:
    """The shop on a fresh topic and a fresh database, of each kind in turn."""
    made = Site(database, kafka, topic, tmp_path)
    yield made
    made.close()


@pytest.fixture
def crew(site: Site) -> Iterator[Crew]:
    """Workers of the shop, stepped in this process."""
    made = Crew(site, shop(site.app))
    yield made
    made.close()


@pytest.fixture
def tickers(site: Site) -> Iterator[Crew]:
    """Workers of the application that only notes ticks."""
    made = Crew(site, ticker(site.app))
    yield made
    made.close()
