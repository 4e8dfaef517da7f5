"""Where what was made once is kept for the next time."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache(name: str) -> Path:
    """A folder of this user's cache."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oyez-tests" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*parts: str | Path) -> str:
    """What these texts and files contain, in twelve characters. A folder stands for all its files."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            found.update(part.encode())
            continue
        for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if file.is_file():
                found.update(file.name.encode() + file.read_bytes())
    return found.hexdigest()[:12]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process works in this folder."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
