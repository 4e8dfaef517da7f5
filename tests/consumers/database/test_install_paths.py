"""Oyez works below a folder with any name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

ROOT = Path(__file__).parents[3]
RUN = """
import sys
sys.path[:0] = sys.argv[1:4]
del sys.argv[1:4]
import oyez.consumers
assert oyez.consumers.__file__.startswith(sys.path[2])
from oyez.consumers.cli import main
main()
"""


@pytest.mark.parametrize("name", ["a%2Fb", "%(here)s 100%", "x:y;z ü"])
def test_the_tables_are_made(name: str, tmp_path: Path) -> None:
    """What is in a path means something to the one or other: to Alembic's configuration, to a URL."""
    place = tmp_path / name
    place.mkdir()
    roots = [place / root for root in ("schemas", "producers", "consumers")]
    for root in roots:
        root.symlink_to(ROOT / root.name)
    url = URL.create("sqlite", database=str(place / "oyez.db")).render_as_string()
    done = subprocess.run(
        [sys.executable, "-c", RUN, *roots, "db", "upgrade", "--database", url],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (place / "oyez.db").stat().st_size > 0
