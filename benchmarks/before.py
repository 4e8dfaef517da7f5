"""The build that today's is compared with, in an environment of its own.

It is made from this repository's history when it is first asked for, below `build`. OYEZ_BENCH_BEFORE names the
folder of another environment instead, with `bin/python` and `bin/oyez`.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

COMMIT = "b4bbcab"
HOME = Path(__file__).parents[1]


def environment() -> Path:
    """The folder of the environment."""
    named = os.environ.get("OYEZ_BENCH_BEFORE")
    if named:
        return Path(named)
    folder = HOME / "build" / f"before-{COMMIT}"
    done = folder / ".venv" / ".made"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        sources = subprocess.run(["git", "archive", COMMIT], cwd=HOME, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=folder, input=sources, check=True)
        subprocess.run([folder / "tools" / "setup"], cwd=folder, check=True)
        done.touch()
    return folder / ".venv"
