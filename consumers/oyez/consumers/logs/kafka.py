"""The log on Kafka: one member of one consumer group.

Rebalance callbacks run inside `poll`, in the worker's own thread; they only note what happened. Nothing is
ever raised in one: librdkafka would lose messages, and `close` might never return.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from oyez.schemas import OyezError

from ..database.positions import Partition
from ..reading import Record
from .log import FirstOffset
from .topics import Topics

ANSWER = 10.0  # s; how long the broker may take for a single question
DEFAULTS: Mapping[str, Any] = {
    "group.protocol": "classic",
    "partition.assignment.strategy": "cooperative-sticky",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_000,
    "fetch.queue.backoff.ms": 10,
    "allow.auto.create.topics": True,
}


class LogError(OyezError):
    """A log cannot be read on; the message says where and what to do."""


class KafkaLog:
    """A member of a consumer group; see `Log`."""

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        *,
        servers: str,
        options: Mapping[str, Any],
        logger: logging.Logger,
    ) -> None:
        config = {**DEFAULTS, **options, "bootstrap.servers": servers, "group.id": group}
        self._topics = Topics(servers, options)
        self._logger = logger
        self._assigned: set[Partition] = set()
        self._positions: dict[Partition, int] = {}
        self._by_name: dict[tuple[str, int], Partition] = {}
        self._lost_some = False
        self._consumer = Consumer(config, logger=logger)
        self._consumer.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._lost_some = False
        first = self._consumer.poll(wait)
        if first is None:
            return ()
        messages = [first, *self._consumer.consume(limit - 1, 0)] if limit > 1 else [first]
        if any(map(Message.error, messages)):
            messages = [message for message in messages if not self._is_error(message)]
        if self._lost_some:
            messages = [m for m in messages if (m.topic(), m.partition()) in self._by_name]
        self._note_positions()
        return cast("Sequence[Record]", messages)

    def gained(self) -> list[Partition]:
        return sorted(self._assigned - self._positions.keys())

    def start(self, positions: Mapping[Partition, int]) -> None:
        ours = {p: offset for p, offset in positions.items() if p in self._assigned}
        again = [p for p in ours if p in self._positions]
        if again:
            self._consumer.incremental_unassign([_named(p) for p in again])
        self._consumer.incremental_assign([_named(p, offset) for p, offset in ours.items()])
        for partition, offset in ours.items():
            self._positions[partition] = offset
            self._by_name[partition.topic, partition.number] = partition

    def leave(self, partition: Partition) -> None:
        if partition in self._positions:
            self._consumer.incremental_unassign([_named(partition)])
        self._forget(partition)

    def positions(self) -> dict[Partition, int]:
        return dict(self._positions)

    def siblings(self, partition: Partition) -> list[Partition]:
        return self._topics.partitions(partition.topic)

    def first_offset(self, partition: Partition, first: FirstOffset) -> int:
        low, high = self._consumer.get_watermark_offsets(_named(partition), timeout=ANSWER)
        return int(low if first == "earliest" else high)

    def told(self, partition: Partition) -> int | None:
        (answer,) = self._consumer.committed([_named(partition)], timeout=ANSWER)
        offset = int(answer.offset)
        return offset if offset >= 0 and answer.metadata == "at-least-once" else None

    def tell(self, positions: Mapping[Partition, int], promise: str) -> None:
        offsets = [
            TopicPartition(p.topic, p.number, offset, promise)
            for p, offset in positions.items()
            if p in self._positions
        ]
        if offsets:
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def close(self) -> None:
        self._consumer.close()

    def _note_positions(self) -> None:
        for answer in self._consumer.position([_named(p) for p in self._positions]):
            if answer.offset >= 0:
                self._positions[self._by_name[answer.topic, answer.partition]] = answer.offset

    def _is_error(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 # the client's name for it
            raise LogError(
                f"{message.topic()} partition {message.partition()}: the group's position is not in the topic any "
                f"more ({error.str()}); was the topic's data removed before it was read?"
            )
        if error.fatal():
            raise LogError(f"Kafka: {error.str()}")
        self._logger.warning("Kafka: %s", error.str())
        return True

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign([])
        self._assigned.update(self._topics.name(p.topic, p.partition) for p in partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(p.topic, p.partition) for p in partitions}
        started = [p for p in self._positions if (p.topic, p.number) in gone]
        consumer.incremental_unassign([_named(p) for p in started])
        for partition in [p for p in self._assigned if (p.topic, p.number) in gone]:
            self._forget(partition)

    def _forget(self, partition: Partition) -> None:
        self._lost_some = True
        self._assigned.discard(partition)
        self._positions.pop(partition, None)
        self._by_name.pop((partition.topic, partition.number), None)


def _named(partition: Partition, offset: int | None = None) -> Any:
    if offset is None:
        return TopicPartition(partition.topic, partition.number)
    return TopicPartition(partition.topic, partition.number, offset)
