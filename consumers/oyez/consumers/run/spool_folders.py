"""The folders below which logs of the spool are looked for: those that are named have to be there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from oyez.schemas import OyezError

from ..settings import ListenSettings


class FolderMissing(OyezError):
    """A folder that was named is not there; the message says which, and who names it."""


def require_folders(folders: Iterable[Path]) -> None:
    """Raises `FolderMissing`."""
    for folder in folders:
        if not folder.is_dir():
            raise FolderMissing(
                f"there is no folder {folder}; name the spool as it is, by --spool, OYEZ_SPOOLS or OYEZ_SPOOL"
            )


def require_spools(settings: ListenSettings) -> None:
    """The same for the folders that are to be read. This process's own one is made when something is announced."""
    if settings.transport == "spool":
        require_folders(settings.spools)
