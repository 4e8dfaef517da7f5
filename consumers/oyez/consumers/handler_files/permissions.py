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
    _check(folder.stat(), f"the folder of event files {folder}", f"chmod go-w {folder}")


def read(file: Path) -> bytes:
    """A file's bytes. Raises `OpenToOthers` if others may write it; what was checked is what is read."""
    with file.open("rb") as opened:
        _check(os.fstat(opened.fileno()), "it", f"chmod go-w {file}")
        return opened.read()


def _check(found: os.stat_result, what: str, repair: str) -> None:
    ours = os.geteuid()
    if found.st_uid not in (ours, ROOT):
        raise OpenToOthers(
            f"{what} belongs to the user {found.st_uid}, who could change it; this process is the user {ours}: "
            f"give it to that one or to root"
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everybody" if found.st_mode & stat.S_IWOTH else "its group"
        raise OpenToOthers(f"{what} may be written by {who}; run: {repair}")
