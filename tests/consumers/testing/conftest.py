"""The kit over the application of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers.testing import cafe
from oyez.consumers.testing import Kit, kit


@pytest.fixture
def oyez() -> Iterator[Kit]:
    """The application in memory."""
    cafe.rung.clear()
    with kit(cafe.on, signals=cafe.signals) as made:
        cafe.tables.create_all(made.engine)
        yield made
