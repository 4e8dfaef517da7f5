"""What an application loads that only announces: nothing that it does not use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import oyez.producers

HEAVY = ("sqlalchemy", "sqlalchemy.orm", "confluent_kafka", "alembic", "typer", "rich", "prometheus_client")
SLOW = ("pydantic", "pydantic_settings", "asyncio", "multiprocessing", "importlib.metadata")
"""What an announcer needs, or its settings. Together these take longer to load than all that is ours."""

ANNOUNCING = """
from oyez.producers import Announcer, Settings
from oyez.schemas import Signal

class Opened(Signal, name="opened.imports"):
    n: int

with Announcer.from_settings(Settings(transport="spool", source="web")) as announcer:
    announcer.announce(Opened(n=1))
"""


def loaded(code: str, folder: Path, of: tuple[str, ...] = HEAVY) -> set[str]:
    """Which of these modules a process has that runs ``code``."""
    asked = f"{code}\nimport sys\nprint(*(name for name in {of} if name in sys.modules))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("package", ["oyez.schemas", "oyez.producers"])
def test_importing_loads_nothing_heavy(package: str, tmp_path: Path) -> None:
    assert loaded(f"import {package}", tmp_path) == set()


def test_what_is_not_used_is_not_loaded(tmp_path: Path) -> None:
    assert loaded("import oyez.producers", tmp_path, SLOW) == set()
    assert "pydantic_settings" not in loaded("from oyez.producers import Announcer", tmp_path, SLOW)


def test_all_that_is_public_is_there() -> None:
    assert [name for name in oyez.producers.__all__ if not hasattr(oyez.producers, name)] == []
    assert set(oyez.producers.__all__) <= set(dir(oyez.producers))


def test_a_name_that_is_not_there_is_none() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Announcers'"):
        oyez.producers.Announcers  # noqa: B018


def test_announcing_into_a_spool_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(ANNOUNCING, tmp_path) == set()
    assert list((tmp_path / "spool").rglob("*.ndjson"))
