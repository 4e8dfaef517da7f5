"""Whom the commands ask how far groups are."""

from __future__ import annotations

from sqlalchemy import Engine

from ...database import Database
from ...logs.backend import LogBackend
from ...logs.lookup import log_backend
from ...logs.offsets import Offsets
from ...settings import ListenSettings
from .probes import reached_log


def offsets_of(settings: ListenSettings, engine: Engine) -> Offsets:
    """Of the log that is set. Raises `Unreachable`, and `SettingsError` if there is none."""
    return offsets_in(log_backend(settings), engine)


def offsets_in(backend: LogBackend, engine: Engine) -> Offsets:
    """Of a log, after it has answered. Raises `Unreachable`."""
    reached_log(backend)
    return backend.offsets(Database(engine))
