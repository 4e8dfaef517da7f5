"""Kafka, as it is set: see `LogBackend`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from oyez.producers.loggers import logger_named

from ...core.counted import Unit
from ...database.engine import Database
from ..keepalive import KeepAlive
from ..settings import LogSettings
from .client_config import options_of_worker
from .inspection import KafkaInspection
from .member import KafkaLog
from .offsets import KafkaOffsets
from .probe import probe
from .tail import KafkaTail

log = logger_named("oyez.kafka")


class KafkaBackend:
    """Brokers that have topics, and that deal partitions to the members of groups."""

    unit: Unit = "records"

    def __init__(self, settings: LogSettings) -> None:
        self._servers = settings.kafka
        self._options = settings.kafka_options
        self.buffer: Path | None = settings.spool

    @property
    def where(self) -> str:
        return f"Kafka at {self._servers}"

    @property
    def place(self) -> Mapping[str, str]:
        return {"kafka": self._servers}

    def check(self) -> None:
        """There is nothing to be seen without asking."""

    def probe(self) -> None:
        probe(self._servers, self._options)

    def join(
        self, group: str, topics: Sequence[str], database: Database, worker: int | None = None
    ) -> KeepAlive:
        options = options_of_worker(self._options, worker)
        return KeepAlive(KafkaLog(group, topics, servers=self._servers, options=options, logger=log))

    def join_alone(self, group: str, topics: Sequence[str], database: Database) -> None:
        """To join for one sweep would take longer than the sweep, and deal the partitions of all others anew."""

    def offsets(self, database: Database) -> KafkaOffsets:
        return KafkaOffsets(self._servers, self._options)

    def tail(self, topics: Collection[str]) -> KafkaTail:
        return KafkaTail(self._servers, self._options, topics)

    def inspection(self) -> KafkaInspection:
        return KafkaInspection(self._servers, self._options)

    def retention(self, readers: Mapping[str, AbstractSet[str]]) -> None:
        """The brokers see to it."""


def from_settings(settings: LogSettings) -> KafkaBackend:
    """The log named "kafka"."""
    return KafkaBackend(settings)
