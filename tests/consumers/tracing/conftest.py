"""Spans that are recorded while a test runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers.lanes.conftest import lanes as lanes  # noqa: PLC0414 # a fixture that is used here too
from support.spans import Recorded, recording


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    with recording(monkeypatch) as recorded:
        yield recorded
