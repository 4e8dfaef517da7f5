"""Whom the commands ask how far groups are: Kafka, or the folders of the spool."""

from __future__ import annotations

from sqlalchemy import Engine

from ...database import Database
from ...reports import KafkaOffsets, Offsets
from ...reports.spool_offsets import SpoolOffsets
from ...run.assembly import folders, spools_read
from ...settings import ListenSettings
from . import probes


def offsets_of(settings: ListenSettings, engine: Engine) -> Offsets:
    """Of the log that is set. Raises `Unreachable`."""
    if settings.transport == "spool":
        return SpoolOffsets(folders(settings), Database(engine))
    probes.kafka(settings)
    return KafkaOffsets(probes.admin(settings.kafka, settings.kafka_options))


def where(settings: ListenSettings) -> str:
    """The log that is set, in words."""
    if settings.transport == "spool":
        return f"the spool at {spool(settings)}"
    return f"Kafka at {settings.kafka}"


def spool(settings: ListenSettings) -> str:
    """Where the spool is read."""
    return ", ".join(str(path) for path in spools_read(settings))
