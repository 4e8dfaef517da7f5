"""Topics as the broker knows them: their ids and partitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from ..database.positions import Partition

ANSWER = 10.0  # s

NOT_FOR_ADMIN = (
    "group.",
    "partition.assignment",
    "enable.auto",
    "auto.offset",
    "session.",
    "heartbeat.",
    "fetch.",
)


class Topics:
    """Asks the broker about topics. An id is kept until it is forgotten: for as long as the topic is read."""

    def __init__(self, servers: str, options: Mapping[str, Any]) -> None:
        kept = {name: value for name, value in options.items() if not name.startswith(NOT_FOR_ADMIN)}
        self._config = {**kept, "bootstrap.servers": servers, "log_level": 0}
        self._ids: dict[str, str] = {}

    def name(self, topic: str, number: int) -> Partition:
        """A partition, with its topic's id."""
        if topic not in self._ids:
            self.partitions(topic)
        return Partition(topic, self._ids[topic], number)

    def forget(self, topic: str) -> None:
        """Ask again next time: a topic of which nothing is read may be deleted and made again."""
        self._ids.pop(topic, None)

    def partitions(self, topic: str) -> list[Partition]:
        """All partitions of a topic; asks the broker. Raises KafkaException if it has none of that name."""
        admin = AdminClient(self._config)  # for this question alone: the next may not come for days
        described = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER)[topic].result()
        self._ids[topic] = str(described.topic_id)
        return [Partition(topic, self._ids[topic], p.id) for p in described.partitions]
