"""How other Kafka clients choose the partition of a key, and what makes them choose it as everybody else does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from zlib import crc32

from oyez.producers.partitioning import murmur2, partition_of

MORE = 64  # partitions that a topic may have had, or has by now


@dataclass(frozen=True)
class Placed:
    """The key of an event, the key of its record, the partition that this is in, and how many there are."""

    key: bytes
    record_key: bytes | None
    partition: int
    partitions: int

    @property
    def expected(self) -> int:
        """The partition that everybody else takes for the event's key."""
        return partition_of(self.key, self.partitions)

    @property
    def is_elsewhere(self) -> bool:
        return self.partition != self.expected


@dataclass(frozen=True)
class Partitioner:
    """One that is known to be a client's default; ``advice`` corrects it."""

    choose: Callable[[bytes, int], int]
    advice: str


def fnv1a(key: bytes) -> int:
    """The 32-bit FNV-1a hash of a key, unsigned."""
    value = 0x811C9DC5
    for byte in key:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def _fnv_partition(key: bytes, partitions: int) -> int:
    value = fnv1a(key)
    signed = value - (1 << 32) if value >> 31 else value
    return abs(signed) % partitions


KNOWN: Sequence[Partitioner] = (
    Partitioner(
        lambda key, partitions: crc32(key) % partitions,
        "as librdkafka does by default: set partitioner=murmur2_random in its client",
    ),
    Partitioner(
        _fnv_partition,
        "as sarama does by default, and kafka-go's Hash: set NewMurmur2Partitioner, or Murmur2Balancer, in its client",
    ),
    Partitioner(
        lambda key, partitions: murmur2(key) % partitions,
        "as @platformatic/kafka does by default: set its compatibilityPartitioner",
    ),
)
NO_KEY = "without a key in its records: set the event's partitionkey as the record's key"
OTHER_KEY = "by another key than the event's: set the event's partitionkey as the record's key"
OTHERWISE = "in turn, at random or by a rule of its own: set murmur2, the partitioner of Kafka's Java client"


def advice_for(seen: Collection[Placed]) -> str:
    """What is to be set, by how a source has placed its keys."""
    if all(one.record_key is None for one in seen):
        return NO_KEY
    if all(one.record_key is not None and one.record_key != one.key for one in seen):
        return OTHER_KEY
    for known in KNOWN:
        if all(one.partition == known.choose(one.record_key or b"", one.partitions) for one in seen):
            return known.advice
    return OTHERWISE


def was_resized(seen: Collection[Placed]) -> bool:
    """Whether another number of partitions explains what is elsewhere: some were added since, or this worker has not
    heard of them yet."""
    elsewhere = [one for one in seen if one.is_elsewhere]
    if any(one.record_key != one.key for one in elsewhere):
        return False  # by another key, no number of partitions is the right one
    return any(
        all(one.partition == partition_of(one.key, m) for one in elsewhere) for m in range(1, MORE + 1)
    )
