"""What an application loads that only announces: nothing that it does not use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("sqlalchemy", "sqlalchemy.orm", "confluent_kafka", "alembic", "typer", "rich", "prometheus_client")

ANNOUNCING = """
from oyez.producers import Announcer, Settings
from oyez.schemas import Signal

class Opened(Signal, name="opened.imports"):
    n: int

with Announcer.from_settings(Settings(transport="spool", source="web")) as announcer:
    announcer.announce(Opened(n=1))
"""


def loaded(code: str, folder: Path) -> set[str]:
    """Which of the heavy modules a process has that runs ``code``."""
    asked = f"{code}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("package", ["oyez.schemas", "oyez.producers"])
def test_importing_loads_nothing_heavy(package: str, tmp_path: Path) -> None:
    assert loaded(f"import {package}", tmp_path) == set()


def test_announcing_into_a_spool_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(ANNOUNCING, tmp_path) == set()
    assert list((tmp_path / "spool").rglob("*.ndjson"))
