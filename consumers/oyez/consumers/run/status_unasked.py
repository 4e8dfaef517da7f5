"""How everything stands, for those who ask again and again: a log that is away leaves only what it knows unknown."""

from __future__ import annotations

from confluent_kafka import KafkaException
from sqlalchemy import Engine

from oyez.producers.spool import SpoolError

from ..database import Database
from ..handlers.application import Application
from ..logs.backend import LogBackend
from ..settings import ListenSettings
from .status import Status, status_of


def status_or_why_not(
    application: Application,
    settings: ListenSettings,
    engine: Engine,
    backend: LogBackend | None,
    longest: float | None = None,
) -> tuple[Status, Exception | None]:
    """How it stands, and why the log has not answered. It is not asked before whether it answers: that forks a process,
    which may hang where there are threads and clients of Kafka. Raises what the database raises."""
    try:
        offsets = None if backend is None else backend.offsets(Database(engine))
        return status_of(application, settings, engine, backend, offsets, longest), None
    except (KafkaException, SpoolError, OSError) as error:
        return status_of(application, settings, engine, backend, None, longest), error
