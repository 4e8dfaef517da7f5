"""Metrics in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import values

from oyez.consumers.metrics.multiprocess_files import FOLDER, Folder, folder


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Folder]:
    """The folder, and this process as the one of spec 0."""
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv(FOLDER, str(tmp_path / "metrics"))
    with folder() as made:
        made.identity.become(0)
        yield made
