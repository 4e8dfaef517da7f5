"""A broker in this process: topics, partitions and offsets with Kafka's semantics."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

from oyez.schemas.encoding import CONTENT_TYPE

from .partitioning import partition_of

if TYPE_CHECKING:
    from .settings import Settings

Headers = Sequence[tuple[str, bytes]]

_OURS = (("content-type", CONTENT_TYPE),)


class MemoryRecord:
    """A record, with the methods of confluent_kafka.Message."""

    __slots__ = ("_headers", "_key", "_offset", "_partition", "_topic", "_value")

    def __init__(
        self,
        topic: str,
        *,
        partition: int,
        offset: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
    ) -> None:
        self._topic = topic
        self._partition = partition
        self._offset = offset
        self._key = key
        self._value = value
        self._headers = list(headers)

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        return self._headers

    def error(self) -> None:
        return None


class _Topic:
    def __init__(self, partitions: int) -> None:
        self.id = str(uuid4())
        self.partitions: list[list[MemoryRecord]] = [[] for _ in range(partitions)]


class MemoryBroker:
    """Topics are made when they are first named. Many threads may use it at once."""

    def __init__(self, partitions: int = 4, *, choose: Callable[[int], int] = random.randrange) -> None:
        """`partitions` of each topic; `choose(n)` picks the partition of a record without a key."""
        self._partitions = partitions
        self._choose = choose
        self._topics: dict[str, _Topic] = {}
        self._lock = threading.Lock()

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = _OURS
    ) -> MemoryRecord:
        """Add a record at the end of its key's partition."""
        with self._lock:
            kept = self._topic(topic).partitions
            partition = self._choose(len(kept)) if key is None else partition_of(key, len(kept))
            record = MemoryRecord(
                topic,
                partition=partition,
                offset=len(kept[partition]),
                key=key,
                value=value,
                headers=headers,
            )
            kept[partition].append(record)
        return record

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[MemoryRecord]:
        """At most `limit` records from `offset` on."""
        with self._lock:
            return self._topic(topic).partitions[partition][offset : offset + limit]

    def end(self, topic: str, partition: int) -> int:
        """The offset that the partition's next record will get."""
        with self._lock:
            return len(self._topic(topic).partitions[partition])

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""
        with self._lock:
            return len(self._topic(topic).partitions)

    def topic_id(self, topic: str) -> str:
        """What tells a topic from another one of the same name, made after this was deleted."""
        with self._lock:
            return self._topic(topic).id

    def add_partitions(self, topic: str, total: int) -> None:
        """Give the topic `total` partitions; the records stay where they are."""
        with self._lock:
            kept = self._topic(topic).partitions
            kept.extend([] for _ in range(total - len(kept)))

    def delete(self, topic: str) -> None:
        """Delete the topic with its records."""
        with self._lock:
            self._topics.pop(topic, None)

    def _topic(self, name: str) -> _Topic:
        found = self._topics.get(name)
        if found is None:
            found = self._topics[name] = _Topic(self._partitions)
        return found


class MemoryTransport:
    """Announces into a MemoryBroker. What it takes has arrived."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self.broker.append(topic, key, value)

    def flush(self, timeout: float) -> None:
        """Nothing is ever under way."""

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""


@cache
def shared_broker() -> MemoryBroker:
    """The one broker of this process that transports and logs made from settings share."""
    return MemoryBroker()


def from_settings(settings: Settings) -> MemoryTransport:
    """The transport named "memory"."""
    return MemoryTransport(shared_broker())
