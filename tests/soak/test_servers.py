"""The scenario `servers` of `make soak`, small."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.rows.running_app import RunningApp
from soak.servers import servers


@pytest.mark.timeout(300)
def test_servers_are_killed_reloaded_and_restarted(sqlite: str, tmp_path: Path) -> None:
    with RunningApp(sqlite, "", tmp_path) as scripted_app:
        figures = servers(scripted_app, requests=100, troubles=3, seed=4)
    assert figures.holds, figures
