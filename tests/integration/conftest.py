"""Sites, closed when their test ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.site import Site


@pytest.fixture
def site(database: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Site]:
    """The shop on a fresh topic and a fresh database, of each kind in turn."""
    made = Site(database, kafka, topic, tmp_path)
    yield made
    made.close()
