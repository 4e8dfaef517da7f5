"""The folders below which logs of the spool are looked for: those that are named have to be there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from oyez.producers.loggers import logger_named
from oyez.producers.spool import Folder, SpoolError, copies_in, found_in, is_folder, own_spool
from oyez.schemas import OyezError

from ..settings import LogSettings

log = logger_named("oyez.spool")


class FolderMissing(OyezError):
    """A folder that was named is not there; the message says which, and who names it."""


def require_folders(folders: Iterable[Path]) -> None:
    """Raises `FolderMissing`, and `SpoolError` for one that this process may not read."""
    for folder in folders:
        if not is_folder(folder):
            raise FolderMissing(
                f"there is no folder {folder}; name the spool as it is, by --spool, OYEZ_SPOOLS or OYEZ_SPOOL"
            )


def spools_read(settings: LogSettings) -> list[Path]:
    """Where logs of the spool are looked for: below the folders that are set, and below this process's own one, where
    what its handlers announce is put."""
    own = own_spool(settings)
    if settings.spool is None and settings.spools and not own.is_dir():
        return [*settings.spools]  # nobody has said that there is one, whatever else has its name
    return [*settings.spools, *([own] if is_folder(own) or not settings.spools else [])]


def logs_read(settings: LogSettings) -> list[Folder]:
    """The logs of the spool that are read. Raises `SpoolError` for what this process may not read."""
    return found_in(spools_read(settings), settings.topic)


def copies_read(settings: LogSettings) -> list[Folder]:
    """The same, each with all its copies: for what has to be done in each of them."""
    found = copies_in(spools_read(settings), settings.topic)
    every = (folder for copies in found.values() for folder in copies)
    return list({(folder.path.resolve(), folder.log_id): folder for folder in every}.values())


class ReadableLogs:
    """The same for those who go on: what may not be read is said once while it is so, and holds up no other log."""

    def __init__(self, settings: LogSettings) -> None:
        self._settings = settings
        self._said: set[str] = set()

    def __call__(self) -> list[Folder]:
        errors: set[str] = set()
        try:
            roots = spools_read(self._settings)
        except SpoolError as error:
            roots = [*self._settings.spools]
            errors.add(str(error))
        found = found_in(roots, self._settings.topic, lambda error: errors.add(str(error)))
        for said in sorted(errors - self._said):
            log.error("%s", said)
        self._said = errors
        return found
