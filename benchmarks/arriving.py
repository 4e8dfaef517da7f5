"""What has arrived in a topic."""

from __future__ import annotations

import json

from bed import consumer
from confluent_kafka import TopicPartition

PATIENCE = 30.0  # s


class Arrived:
    """Reads the events of a topic, each once."""

    def __init__(self, servers: str, topic: str, partitions: int = 4) -> None:
        self._client = consumer(servers, topic, partitions)
        self._read = [TopicPartition(topic, n, 0) for n in range(partitions)]

    def numbers(self) -> list[int]:
        """The numbers of the events that have arrived since this was last called, up to the topic's end."""
        found: list[int] = []
        for at in self._read:
            end = self._client.get_watermark_offsets(at, PATIENCE)[1]
            while at.offset < end:
                message = self._client.poll(PATIENCE)
                assert message is not None, f"{at.topic} partition {at.partition}: nothing after {at.offset}"
                assert message.error() is None, message.error()
                self._read[message.partition()].offset = message.offset() + 1
                found.append(json.loads(message.value())["data"]["n"])
        return found
