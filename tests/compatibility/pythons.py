"""Where another Python is on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


def found(version: str) -> str | None:
    """An interpreter of this version, "3.13", that runs: in the path, or one of pyenv's. None: there is none."""
    return next((python for python in _candidates(version) if _runs(python, version)), None)


def _candidates(version: str) -> Iterator[str]:
    if there := shutil.which(f"python{version}"):
        yield there
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for folder in sorted(kept.glob(f"{version}.*"), reverse=True):
        yield str(folder / "bin" / "python")


def _runs(python: str, version: str) -> bool:
    # Ran, not only found: pyenv puts a python3.13 into the path that may do nothing.
    ask = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return False
    return done.stdout.strip() == version
