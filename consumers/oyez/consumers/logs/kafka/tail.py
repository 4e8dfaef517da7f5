"""Kafka, read beside all groups; see `Tail`. Partitions are assigned by hand: no coordinator hears of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from oyez.producers.loggers import logger_named

from ...core.record import Record
from ...database.positions import Partition
from ..offsets import PartitionEnds
from ..unfinished import Unfinished
from .assignment import named
from .client_config import without_membership
from .closing import close
from .offsets import KafkaOffsets
from .probe import silent

log = logger_named("oyez.kafka")

MANY = 500
LOOK = 5.0  # s between two looks for new partitions
SILENT = 15.0  # s after which a partition that gives nothing, and no end, is left
END = KafkaError._PARTITION_EOF  # noqa: SLF001 # the client's name for it
HOPELESS = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._AUTHENTICATION,  # noqa: SLF001
)
AWAY = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001
GROUP = "oyez-tail"
"""A client has to name one; it is never joined, and nothing is committed for it."""


class KafkaTail:
    """Asks the brokers, and reads with a client of its own."""

    def __init__(
        self,
        servers: str,
        options: Mapping[str, Any],
        topics: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topics = topics
        self._offsets = KafkaOffsets(servers, options)
        self._clock = clock
        self._config = {
            **without_membership(options),
            "bootstrap.servers": servers,
            "group.id": GROUP,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",  # what was deleted meanwhile is passed over
            "fetch.queue.backoff.ms": 10,
            "logger": silent,
            "error_cb": self._on_error,
        }
        self._servers = servers
        self._is_away = False
        self._consumer: Consumer | None = None
        self._assigned: set[Partition] = set()
        self._unfinished = Unfinished[tuple[str, int]]()
        self._look_at = 0.0

    def ends(self) -> Mapping[Partition, PartitionEnds]:
        return {
            Partition(log.topic, log.topic_id, number): ends
            for log in self._offsets.ends(self._topics)
            for number, ends in log.partitions.items()
        }

    def at(self, time: float) -> Mapping[Partition, int]:
        found = {}
        for log in self._offsets.ends(self._topics):
            for number, offset in self._offsets.at(log, time).items():
                high = log.partitions[number].high
                found[Partition(log.topic, log.topic_id, number)] = high if offset is None else offset
        return found

    def before(self, partition: Partition, end: int, count: int) -> int:
        return max(0, end - count)

    def read(self, partition: Partition, begin: int, end: int) -> Iterator[Record]:
        consumer = Consumer(self._config)
        try:
            consumer.assign([named(partition, begin)])
            yield from self._until(consumer, end)
        finally:
            close(consumer, silent)

    def _until(self, consumer: Consumer, end: int) -> Iterator[Record]:
        """Offsets may be missing: a partition's end is told by itself."""
        heard = self._clock()
        while self._clock() < heard + SILENT:
            for message in _some(consumer, 1.0):
                heard = self._clock()
                error = message.error()
                if error is not None and error.code() != END:
                    raise KafkaException(error)
                if error is not None or message.offset() >= end:
                    return
                yield message

    def follow(self, begins: Mapping[Partition, int]) -> None:
        ends = self.ends()
        for partition, position in begins.items():
            high = ends[partition].high if partition in ends else math.inf  # then its end is told by itself
            self._unfinished.begin((partition.topic, partition.number), position, high)
        self._consumer = Consumer(self._config)
        self._assign(begins)

    def poll(self, wait: float) -> Sequence[Record]:
        if self._consumer is None:
            return ()
        if self._clock() >= self._look_at:
            self._look()
        found = []
        for message in _some(self._consumer, wait):
            place = (str(message.topic()), int(message.partition() or 0))
            error = message.error()
            self._is_away = self._is_away and error is not None
            if error is None:
                self._unfinished.reach(place, message.offset() + 1)
                found.append(message)
            elif error.code() == END:
                self._unfinished.finish(place)
            elif error.fatal() or error.code() in HOPELESS:
                raise KafkaException(error)
        return found

    @property
    def is_at_end(self) -> bool:
        return not self._unfinished

    def close(self) -> None:
        if self._consumer is not None:
            close(self._consumer, silent)

    def _on_error(self, error: KafkaError) -> None:
        """The client reconnects by itself."""
        if error.code() == AWAY and not self._is_away:
            self._is_away = True
            log.warning("Kafka at %s is away; reconnecting", self._servers)

    def _look(self) -> None:
        """Partitions that are new, also of a topic that was made again, are read from their beginning."""
        try:
            ends = self.ends()
        except KafkaException:  # the client itself reconnects
            ends = {}
        self._assign(
            {partition: one.low for partition, one in ends.items() if partition not in self._assigned}
        )
        self._look_at = self._clock() + LOOK

    def _assign(self, begins: Mapping[Partition, int]) -> None:
        consumer = self._consumer
        if consumer is None or not begins:
            return
        gone = {p for p in self._assigned if any(_is_same_place(p, new) for new in begins)}
        if gone:
            consumer.incremental_unassign([TopicPartition(p.topic, p.number) for p in gone])
        consumer.incremental_assign([named(p, at) for p, at in begins.items()])
        self._assigned = (self._assigned - gone) | set(begins)
        self._look_at = self._clock() + LOOK


def _is_same_place(one: Partition, other: Partition) -> bool:
    return (one.topic, one.number) == (other.topic, other.number)


def _some(consumer: Consumer, wait: float) -> list[Any]:
    """What is there, or the first that comes: asked for many at once, the client waits for all of them."""
    first = consumer.poll(wait)
    return [] if first is None else [first, *consumer.consume(MANY, 0)]
