"""Environments of tools that the benchmarks use, beside that of Oyez: made when they are first asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

from before import HOME


def environment(name: str, wanted: Path) -> Path:
    """The folder of one in which what ``wanted`` names is installed, below `build`. OYEZ_BENCH_NAME names the folder of
    another one instead."""
    given = os.environ.get(f"OYEZ_BENCH_{name.upper()}")
    if given:
        return Path(given)
    folder = HOME / "build" / f"{name}-{sha256(wanted.read_bytes()).hexdigest()[:10]}"
    done = folder / ".made"
    if not done.exists():
        print(f"making {folder.relative_to(HOME)}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        install = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*install, "-r", wanted], check=True, stdout=sys.stderr)
        done.touch()
    return folder
