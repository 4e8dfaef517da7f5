"""A member of a real group whose client stalls when it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers.logs.stall_watching import Stalling


@pytest.fixture
def stalling(kafka: str, topic: str) -> Iterator[Stalling]:
    """The member, alone in its group."""
    made = Stalling(kafka, topic)
    yield made
    made.log.close()
