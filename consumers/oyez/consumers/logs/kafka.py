"""The log on Kafka: one member of one consumer group.

Rebalance callbacks run inside `poll`, in the worker's own thread; they only note what happened. Nothing is
ever raised in one: librdkafka would lose messages, and `close` might never return.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from ..database.positions import Partition
from ..reading import Record
from .chatter import Chatter
from .log import FirstOffset, LogAway, LogError
from .topics import Topics

ANSWER = 10.0  # s; how long the broker may take for a single question
DEFAULTS: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "fetch.queue.backoff.ms": 10,
    "allow.auto.create.topics": True,
}
# With the "consumer" protocol these are the broker's to set.
CLASSIC: Mapping[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_000,
}


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
        self._chatter = Chatter(logger, servers)
        is_classic = options.get("group.protocol", "classic") == "classic"
        config = {
            **DEFAULTS,
            **(CLASSIC if is_classic else {}),
            **options,
            "bootstrap.servers": servers,
            "group.id": group,
            "error_cb": self._chatter.on_error,
            "on_commit": self._chatter.on_commit,
        }
        self._topics = Topics(servers, options)
        self._logger = logger
        self._assigned: set[tuple[str, int]] = set()
        self._positions: dict[Partition, int] = {}
        self._started: dict[tuple[str, int], Partition] = {}
        self._lost_some = False
        self._consumer = Consumer(config, logger=cast("logging.Logger", self._chatter))
        self._consumer.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._lost_some = False
        first = self._consumer.poll(wait)
        if self._chatter.fatal is not None:
            raise LogError(f"Kafka: {self._chatter.fatal.str()}")
        if first is None:
            return ()
        messages = [first, *self._consumer.consume(limit - 1, 0)] if limit > 1 else [first]
        if any(map(Message.error, messages)):
            messages = [message for message in messages if not self._is_error(message)]
        if messages:
            self._chatter.heard()
        if self._lost_some:
            messages = [m for m in messages if (m.topic(), m.partition()) in self._started]
        self._note_positions()
        return cast("Sequence[Record]", messages)

    def gained(self) -> list[Partition]:
        new = self._assigned - self._started.keys()
        if not new:
            return []
        read = {topic for topic, _ in self._started}
        with _asking("its topics"):
            for topic in {topic for topic, _ in new} - read:
                self._topics.forget(topic)
            named = sorted(self._topics.name(topic, number) for topic, number in new)
        self._chatter.heard()
        return named

    def start(self, positions: Mapping[Partition, int]) -> None:
        ours = {p: at for p, at in positions.items() if (p.topic, p.number) in self._assigned}
        again = [p for p in ours if p in self._positions]
        if again:
            self._consumer.incremental_unassign([_named(p) for p in again])
        self._consumer.incremental_assign([_named(p, offset) for p, offset in ours.items()])
        for partition, offset in ours.items():
            self._positions[partition] = offset
            self._started[partition.topic, partition.number] = partition

    def leave(self, partition: Partition) -> None:
        if partition in self._positions:
            self._consumer.incremental_unassign([_named(partition)])
            self._forget(partition)

    def positions(self) -> dict[Partition, int]:
        return dict(self._positions)

    def lags(self) -> dict[Partition, int]:
        ends = {p: self._consumer.get_watermark_offsets(_named(p), cached=True)[1] for p in self._positions}
        return {p: max(0, ends[p] - position) for p, position in self._positions.items() if ends[p] >= 0}

    def siblings(self, partition: Partition) -> list[Partition]:
        with _asking(partition.topic):
            return self._topics.partitions(partition.topic)

    def first_offset(self, partition: Partition, first: FirstOffset) -> int:
        with _asking(f"{partition.topic} {partition.number}"):
            low, high = self._consumer.get_watermark_offsets(_named(partition), timeout=ANSWER)
        return int(low if first == "earliest" else high)

    def told(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        by_name = {(p.topic, p.number): p for p in partitions}
        with _asking("the group's offsets"):
            answers = self._consumer.committed([_named(p) for p in by_name.values()], timeout=ANSWER)
        return {
            by_name[answer.topic, answer.partition]: int(answer.offset)
            for answer in answers
            if answer.offset >= 0 and answer.metadata == "at-least-once"
        }

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
                self._positions[self._started[answer.topic, answer.partition]] = answer.offset

    def _is_error(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 # the client's name for it
            raise LogError(
                f"{message.topic()} partition {message.partition()}: the group's position is not in the topic any "
                f"more ({error.str()}); was the topic's data removed before it was read?"
            )
        self._logger.warning("Kafka: %s", error.str())
        return True

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign([])
        self._assigned.update((p.topic, p.partition) for p in partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(p.topic, p.partition) for p in partitions}
        started = [partition for name, partition in self._started.items() if name in gone]
        consumer.incremental_unassign([_named(p) for p in started])
        self._assigned -= gone
        for partition in started:
            self._forget(partition)

    def _forget(self, partition: Partition) -> None:
        self._lost_some = True
        self._positions.pop(partition, None)
        self._started.pop((partition.topic, partition.number), None)


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """A question that the broker may leave unanswered."""
    try:
        yield
    except KafkaException as error:
        raise LogAway(f"Kafka gave no answer about {what}: {error.args[0].str()}") from error


def _named(partition: Partition, offset: int | None = None) -> Any:
    if offset is None:
        return TopicPartition(partition.topic, partition.number)
    return TopicPartition(partition.topic, partition.number, offset)
