"""Topics as a source of stored events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ..logs.kafka.reading import KafkaReading
from .sources import Kept


class TopicSource:
    """What topics have now."""

    def __init__(self, servers: str, options: Mapping[str, Any], topics: Sequence[str]) -> None:
        self._reading = KafkaReading(servers, options, topics)

    @property
    def topics(self) -> Sequence[str]:
        """Those that are there."""
        return self._reading.topics

    def read(self, since: float | None) -> Iterator[Kept]:
        """Partition by partition."""
        for one in self._reading.read(since):
            topic, headers = str(one.topic()), one.headers()
            where = f"{topic} partition {one.partition()} at {one.offset()}"
            yield Kept(
                where, topic, one.value(), one.key(), cast("Sequence[tuple[str, bytes]] | None", headers)
            )
