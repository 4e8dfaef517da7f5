"""Programs and libraries from Debian's packages, unpacked into a cache folder: nothing is installed on the machine.

Needs apt, not root. Packages come from where the machine's own apt gets them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from support.caching import alone, cache

LIMIT = 300.0  # s


class Unpacked:
    """Packages with what they depend on, as far as the machine lacks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, path: str) -> Path:
        """One of their files, named as if it were installed: "usr/sbin/pgbouncer"; or a pattern of one."""
        found = sorted(self.folder.glob(path))
        assert found, f"no {path} in {self.folder}"
        return found[0]

    @property
    def environment(self) -> dict[str, str]:
        """What their programs need to find their libraries."""
        folders = {file.parent for kind in ("*.so", "*.so.*") for file in self.folder.rglob(kind)}
        return {"LD_LIBRARY_PATH": os.pathsep.join(map(str, sorted(folders)))}


def unpacked(*packages: str) -> Unpacked:
    """The packages, downloaded and unpacked once for all tests of this machine's user."""
    kept = cache("debian")
    name = hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()[:8]
    folder = kept / f"{packages[0]}-{name}"
    with alone(kept):  # tests run in several processes
        if not folder.exists():
            _unpack(packages, kept / "apt", folder)
    return Unpacked(folder)


def _unpack(packages: Sequence[str], state: Path, folder: Path) -> None:
    archives = state / f"archives-{folder.name}"
    for needed in (state / "lists" / "partial", archives / "partial"):
        needed.mkdir(parents=True, exist_ok=True)
    _apt(state, archives, "update")
    wanted = ("--yes", "--no-install-recommends", "--reinstall", "--download-only", "install", *packages)
    _apt(state, archives, *wanted)
    half = folder.with_suffix(".part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    found = sorted(archives.glob("*.deb"))
    assert found, f"apt has downloaded nothing for {', '.join(packages)}"
    for archive in found:
        subprocess.run(["dpkg-deb", "--extract", archive, half], check=True, timeout=LIMIT)
    half.rename(folder)
    shutil.rmtree(archives)


def _apt(state: Path, archives: Path, *arguments: str) -> None:
    options = {
        "Dir::State::Lists": f"{state}/lists",
        "Dir::Cache::Archives": str(archives),
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Dir::State::extended_states": f"{state}/extended_states",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    done = subprocess.run(
        ["apt-get", "--quiet", *given, *arguments], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, f"apt-get {' '.join(arguments)}: {done.stderr.strip()[-500:]}"
