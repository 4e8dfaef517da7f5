"""Who asks looks where the settings say: without loading what reads settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oyez.consumers import ListenSettings
from oyez.consumers.health.folder import default, place


@pytest.mark.parametrize("toml", ["", 'health = "beats"', 'health = ""'])
@pytest.mark.parametrize(
    "environment", [{}, {"OYEZ_HEALTH": "said"}, {"OYEZ_HEALTH": ""}, {"oyez_health": "said"}], ids=str
)
def test_it_is_the_folder_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], toml: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OYEZ_HEALTH", raising=False)
    (tmp_path / "oyez.toml").write_text(toml)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert place(os.environ) == str(ListenSettings().health or default(os.environ))
