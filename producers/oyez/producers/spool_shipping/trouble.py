"""Why a folder is not shipped at present, for whoever asks: a small file beside the log."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic_core import from_json

from ..loggers import logger_named

log = logger_named("oyez.spool")


@dataclass(frozen=True)
class Trouble:
    """What stands in the way, and since when, in seconds since the epoch."""

    error: str
    since: float


class Troubles:
    """The trouble of one log, as it is told to other processes."""

    def __init__(self, directory: Path, log_id: str) -> None:
        self.path = directory / f"trouble-{log_id}.json"

    def read(self) -> Trouble | None:
        """The trouble; None if there is none. OSError: it cannot be read."""
        try:
            said = from_json(self.path.read_bytes())
            return Trouble(str(said["error"]), float(said["since"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, error: str, now: float) -> None:
        """Tell an error."""
        try:
            before = self.read()
        except OSError:
            before = None  # it is written anew
        if before is None or before.error != error:
            self._replace(Trouble(error, before.since if before else now))

    def clear(self) -> None:
        """Tell that all is well."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be removed: %s", self.path, error.strerror)

    def _replace(self, trouble: Trouble) -> None:
        new = self.path.with_suffix(".new")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(json.dumps(asdict(trouble)) + "\n")
            new.replace(self.path)
        except OSError as error:  # a full disk: the log says it
            log.warning("%s cannot be written: %s", self.path, error.strerror)
