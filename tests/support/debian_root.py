"""Debian packages unpacked into a folder that their programs take for the whole file system.

No script of a package is run, and packages that exclude each other, as mail servers do, are there side by side.
Libraries that are on this machine already are copied from it. Needs root, for `chroot`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from support.debian import unpacked

_FOUND = re.compile(r"(?:=> )?(/\S+) \(0x")
_HOSTS = "127.0.0.1 localhost mail.example\n"


def missing_tools() -> str | None:
    """Why there can be no such folder here; None if there can be one."""
    if os.geteuid() != 0:
        return "needs root, for chroot"
    absent = [tool for tool in ("apt-get", "dpkg-deb", "ldd", "chroot") if shutil.which(tool) is None]
    return f"needs {', '.join(absent)}: it is for Debian" if absent else None


def make_root(
    folder: Path, packages: Sequence[str], users: Mapping[str, int], *, programs: Iterable[str] = ()
) -> Path:
    """A root with what these packages need and this machine does not have, and with these users, each with a group of
    its own. ``programs`` are those of this machine that are wanted too."""
    root = folder / "root"
    shutil.copytree(unpacked(*packages).folder, root, symlinks=True)
    for made in ("dev", "etc", "proc", "tmp", "run", "var/lib", "var/spool", "var/log", "root", "home"):
        (root / made).mkdir(parents=True, exist_ok=True)
    (root / "var/run").symlink_to("/run")
    (root / "tmp").chmod(0o1777)
    for program in programs:
        _copy(Path(program), root)
    _copy_libraries(root)
    _write_accounts(root / "etc", {"root": 0, "nobody": 65_534, **users})
    for number, name in ((3, "null"), (9, "urandom"), (8, "random")):
        os.mknod(root / "dev" / name, 0o666 | 0o020000, os.makedev(1, number))
        (root / "dev" / name).chmod(0o666)
    return root


def inside(root: Path, *command: str) -> list[str]:
    """The command that runs this one in there."""
    return [shutil.which("chroot") or "chroot", str(root), *command]


def _copy_libraries(root: Path) -> None:
    folders = {str(path.parent) for path in root.rglob("*.so*") if path.is_file()}
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(folders))}
    for path in [path for path in root.rglob("*") if _is_program(path)]:
        done = subprocess.run(
            ["ldd", str(path)], check=False, capture_output=True, text=True, env=environment
        )
        for library in _FOUND.findall(done.stdout):
            if not Path(library).is_relative_to(root):
                _copy(Path(library), root)


def _is_program(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _copy(path: Path, root: Path) -> None:
    place = root / path.relative_to("/")
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path.resolve(), place)


def _write_accounts(etc: Path, users: Mapping[str, int]) -> None:
    lines = [f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in users.items()]
    (etc / "passwd").write_text("".join(lines))
    (etc / "group").write_text("".join(f"{name}:x:{number}:\n" for name, number in users.items()))
    (etc / "hosts").write_text(_HOSTS)
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\nservices: files\n")
    (etc / "services").write_text("smtp 25/tcp\n")
