"""A folder of the spool: one log of one topic, with its identity and its locks."""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from oyez.schemas import OyezError

from .locks import locked
from .names import SegmentName

IDENTITY = "folder.json"
LOCK = "append.lock"
_LOG_ID = re.compile("[0-9a-f]{32}")


class SpoolError(OyezError):
    """A folder of the spool cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory with a log: its UUID, which goes with its copies and names its positions, and its topic."""

    path: Path
    log_id: str
    topic: str

    @classmethod
    def create(cls, path: Path, topic: str) -> Self:
        """The folder at ``path``, made if it is not there. OSError: it cannot be made or read; `SpoolError`: it is
        another topic's, damaged, or no folder."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise no_folder(path) from None
        with locked(path / LOCK):
            identity = path / IDENTITY
            if not identity.exists():
                _sync_up_to(path)  # whoever sees the identity sees what is on disk
                _write(identity, {"format": 1, "log_id": uuid4().hex, "topic": topic})
        found = cls.open(path)
        if found.topic != topic:
            raise SpoolError(f"{identity} says that the folder is for the topic {found.topic}, not {topic}")
        return found

    @classmethod
    def open(cls, path: Path) -> Self:
        """A folder that is there."""
        identity = path / IDENTITY
        try:
            said = json.loads(identity.read_bytes())
            log_id, topic = said["log_id"], said["topic"]
            if not (isinstance(topic, str) and isinstance(log_id, str) and _LOG_ID.fullmatch(log_id)):
                raise ValueError
            return cls(path, log_id, topic)
        except (ValueError, KeyError, TypeError, RecursionError):
            ids = sorted({name.log_id for one in path.iterdir() if (name := SegmentName.parse(one.name))})
            right = json.dumps({"format": 1, "log_id": ids[0] if ids else uuid4().hex, "topic": path.name})
            raise SpoolError(f"{identity} is damaged; write this into it: {right}") from None


def no_folder(path: Path) -> SpoolError:
    """What is said where something else is in a folder's place, or in that of one above it."""
    here = path.absolute()
    what = next((one for one in (here, *here.parents) if one.exists() and not one.is_dir()), here)
    return SpoolError(
        f"the spool {here} cannot be used: {what} is no folder; move that away, or name the spool as it is, by "
        f"OYEZ_SPOOL, OYEZ_SPOOLS or --spool"
    )


def _write(path: Path, content: object) -> None:
    """All of it, or nothing."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(json.dumps(content) + "\n")
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)
    sync_directory(path.parent)


def _sync_up_to(path: Path) -> None:
    """See that a directory itself is on disk, with all that it stands in: whoever has made those may have been killed.
    What may not be read, or is of a file system that has nothing to force, is left to the system."""
    for above in reversed(path.absolute().parents):
        try:
            sync_directory(above)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EINVAL, errno.EROFS):
                raise


def sync_directory(path: Path) -> None:
    """See that what was made in a directory is on disk."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
