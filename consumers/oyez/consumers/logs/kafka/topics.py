"""Topics as the broker knows them: their ids and partitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from ...database.positions import Partition

ANSWER = 10.0  # s

NOT_FOR_ADMIN = (
    "group.",
    "partition.assignment",
    "enable.auto",
    "auto.offset",
    "session.",
    "heartbeat.",
    "fetch.",
    "debug",
)
GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID)


class Topics:
    """Asks the broker about topics. Raises KafkaException when it gives no answer."""

    def __init__(self, servers: str, options: Mapping[str, Any]) -> None:
        kept = {name: value for name, value in options.items() if not name.startswith(NOT_FOR_ADMIN)}
        self.config = {**kept, "bootstrap.servers": servers, "log_level": 0}

    def partitions(self, topics: Iterable[str]) -> dict[str, list[Partition]]:
        """All partitions of each topic, with the topic's id; a topic that is not there is left out."""
        admin = AdminClient(self.config)  # for this question alone: the next may not come for days
        asked = admin.describe_topics(TopicCollection(sorted(topics)), request_timeout=ANSWER)
        found = {}
        for topic, answer in asked.items():
            try:
                described = answer.result()
            except KafkaException as error:
                if error.args[0].code() not in GONE:
                    raise
            else:
                topic_id = str(described.topic_id)
                found[topic] = [Partition(topic, topic_id, p.id) for p in described.partitions]
        return found
