"""Reading topics from beginning to end, in no group: nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from ..backend import LogUnreachable
from ..offsets import Ends
from .client_config import without_membership
from .closing import close
from .offsets import KafkaOffsets
from .probe import silent

SILENCE = 30.0  # s without a word of the broker
SKEW = 300.0  # s by which the clock that stamped a record may be behind the one that stamped its event
MANY = 500


class KafkaReading:
    """The records that some topics have now. Raises KafkaException, and `LogUnreachable` when the broker is silent."""

    def __init__(self, servers: str, options: Mapping[str, Any], topics: Sequence[str]) -> None:
        self._servers = servers
        self._options = options
        self._offsets = KafkaOffsets(servers, options)
        self._logs = self._offsets.ends(topics)

    @property
    def topics(self) -> list[str]:
        """Those of the topics that are there."""
        return [log.topic for log in self._logs]

    def read(self, since: float | None) -> Iterator[Message]:
        """The records, partition by partition; those from about ``since`` on."""
        config = {
            **without_membership(self._options),
            "bootstrap.servers": self._servers,
            "group.id": "oyez-reading",  # the client wants one; it joins nothing, and commits nothing
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "logger": silent,
        }
        for log in self._logs:
            begin = {} if since is None else self._offsets.at(log, max(0.0, since - SKEW))
            for number, ends in log.partitions.items():
                first = begin.get(number, ends.low)
                if first is not None and first < ends.high:
                    consumer = Consumer(config)
                    try:
                        yield from self._partition(consumer, log, number, first, ends.high)
                    finally:
                        close(consumer, silent)

    def _partition(
        self, consumer: Consumer, log: Ends, number: int, first: int, end: int
    ) -> Iterator[Message]:
        consumer.assign([TopicPartition(log.topic, number, first)])
        while True:
            first_message = consumer.poll(SILENCE)
            if first_message is None:
                raise LogUnreachable(
                    f"Kafka at {self._servers} has said nothing for {SILENCE:.0f} s; run it again"
                )
            for message in (first_message, *consumer.consume(MANY, 0)):
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 # the client's name for it
                        return
                    raise KafkaException(error)
                if (message.offset() or 0) >= end:
                    return
                yield message
                if (message.offset() or 0) == end - 1:
                    return
