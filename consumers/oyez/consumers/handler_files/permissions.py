"""Event files are code: what somebody else may write is not run."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from oyez.schemas import OyezError

ROOT = 0


class OpenToOthers(OyezError):
    """A folder or a file may be written by others than this process's user and root."""


def check_folder(folder: Path) -> None:
    """Raises `OpenToOthers` for a folder into which others may put files."""
    what = f"the folder of event files {folder}"
    found = folder.stat()
    _check_owner(found, what)
    if not _is_read_only(os.statvfs(folder)):
        _check_mode(found, what, folder)


def read(file: Path) -> bytes:
    """A file's bytes. Raises `OpenToOthers` if others may write it; what was checked is what is read."""
    with file.open("rb") as opened:
        found = os.fstat(opened.fileno())
        _check_owner(found, "it")
        if not _is_read_only(os.fstatvfs(opened.fileno())):
            _check_mode(found, "it", file)
        return opened.read()


def _is_read_only(system: os.statvfs_result) -> bool:
    """Whether nobody may write there whatever the modes say, as where Kubernetes mounts a ConfigMap with 0777. Whoever
    may mount it otherwise is root, and root may write anything."""
    return bool(system.f_flag & os.ST_RDONLY)


def _check_owner(found: os.stat_result, what: str) -> None:
    ours = os.geteuid()
    if found.st_uid not in (ours, ROOT):
        raise OpenToOthers(
            f"{what} belongs to the user {found.st_uid}, who could change it; this process is the user {ours}: "
            f"give it to that one or to root"
        )


def _check_mode(found: os.stat_result, what: str, path: Path) -> None:
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everybody" if found.st_mode & stat.S_IWOTH else "its group"
        raise OpenToOthers(
            f"{what} may be written by {who}; run: chmod go-w {path} (or mount it read-only, where modes cannot be set)"
        )
