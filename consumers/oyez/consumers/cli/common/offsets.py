"""Whom the commands ask how far groups are."""

from __future__ import annotations

from sqlalchemy import Engine

from ...database import Database
from ...logs.backend import LogBackend
from ...logs.offsets import Offsets
from .probes import reached_log


def offsets_in(backend: LogBackend, engine: Engine) -> Offsets:
    """Of a log, after it has answered. Raises `Unreachable`."""
    reached_log(backend)
    return backend.offsets(Database(engine))
