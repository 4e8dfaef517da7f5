"""The folders below which logs of the spool are looked for: those that are named have to be there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from oyez.producers.spool import Folder, found_in
from oyez.producers.spool.transport import own_spool
from oyez.schemas import OyezError

from ..settings import LogSettings


class FolderMissing(OyezError):
    """A folder that was named is not there; the message says which, and who names it."""


def require_folders(folders: Iterable[Path]) -> None:
    """Raises `FolderMissing`."""
    for folder in folders:
        if not folder.is_dir():
            raise FolderMissing(
                f"there is no folder {folder}; name the spool as it is, by --spool, OYEZ_SPOOLS or OYEZ_SPOOL"
            )


def spools_read(settings: LogSettings) -> list[Path]:
    """Where logs of the spool are looked for: below the folders that are set, and below this process's own one, where
    what its handlers announce is put."""
    own = own_spool(settings)
    return [*settings.spools, *([own] if own.is_dir() or not settings.spools else [])]


def logs_read(settings: LogSettings) -> list[Folder]:
    """The logs of the spool that are read."""
    return found_in(spools_read(settings), settings.topic)
