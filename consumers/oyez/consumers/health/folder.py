"""Where heartbeats are: a folder for each command that runs, named after its process. Only the standard library is
imported here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

from .beat import born_at, is_alive

MAIN = "main"
"""The file of the process that the command is; its workers' have numbers."""


def place(environment: Mapping[str, str]) -> str:
    """The folder for all commands of this user: OYEZ_HEALTH, else what oyez.toml says, else one for temporary files."""
    # As settings are read: a name in small letters is the same, and what is set to nothing wins over the file.
    said = next((value for name, value in environment.items() if name.upper() == "OYEZ_HEALTH"), None)
    named = _in_file("oyez.toml") if said is None else said
    return named or default(environment)


def default(environment: Mapping[str, str]) -> str:
    """The folder unless one is set: a container whose root is read-only may still have `/dev/shm`."""
    places = (environment.get("TMPDIR") or "/tmp", "/dev/shm")  # noqa: S108 # it is looked whose it is
    found = next((one for one in places if os.access(one, os.W_OK)), places[0])
    return os.path.join(found, f"oyez-health-{os.geteuid()}")  # noqa: PTH118


def _in_file(path: str) -> str:
    if not os.path.exists(path):  # noqa: PTH110 # pathlib is not cheap
        return ""
    import tomllib  # noqa: PLC0415 # few have the file

    try:
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123
            return str(tomllib.loads(file.read()).get("health") or "")
    except (OSError, ValueError):
        return ""  # whoever begins to work says so


def why_not(path: str) -> str:
    """Why a folder is none to be believed; empty if it is: it is this user's, and no other may write to it."""
    try:
        found = os.lstat(path)
    except OSError as error:
        return str(error.strerror)
    if not stat.S_ISDIR(found.st_mode):
        return "it is no folder"
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        return "it is another user's, or others may write to it"
    return ""


def name_of(pid: int) -> str:
    """The name of a process's folder."""
    return f"{pid}-{born_at(pid)}"


def _owner(name: str) -> tuple[int, int] | None:
    pid, _, born = name.partition("-")
    return (int(pid), int(born)) if pid.isdigit() and born.isdigit() else None


def folders(path: str) -> Iterator[tuple[str, bool]]:
    """The folders of commands, each with whether its process is alive."""
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208
    except OSError:
        return
    for name in names:
        owner = _owner(name)
        if owner is not None:
            yield os.path.join(path, name), is_alive(*owner)  # noqa: PTH118
