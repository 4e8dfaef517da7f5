"""The offsets of a group on Kafka, asked for by the group's own member; see `GroupOffsets`.

Only a member may commit while the group has members, and a partition's ends are asked of the broker
that it reads from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import Consumer, KafkaException

from ...database.positions import Partition
from ..group_offsets import FirstOffset
from ..log import LogAway
from ..offsets import AT_LEAST_ONCE
from .assignment import named
from .pending_offsets import PendingOffsets
from .topic_ids import Names
from .topics import Topics

ANSWER = 10.0  # s; how long the broker may take for a single question


class KafkaGroupOffsets:
    """Asks with the member's own client."""

    def __init__(
        self,
        consumer: Callable[[], Consumer],
        topics: Topics,
        names: Names,
        pending: PendingOffsets,
    ) -> None:
        """``consumer`` gives the member's client of the moment."""
        self._consumer = consumer
        self._topics = topics
        self._names = names
        self._pending = pending

    def siblings(self, partition: Partition) -> list[Partition]:
        with _asking(partition.topic):
            found = self._topics.partitions([partition.topic]).get(partition.topic, [])
        if partition.topic_id not in {sibling.topic_id for sibling in found}:
            self._names.doubt()
            raise LogAway(f"Kafka's topic {partition.topic} has just been deleted")
        return found

    def first_offset(self, partition: Partition, first: FirstOffset) -> int:
        with _asking(f"{partition.topic} {partition.number}"):
            low, high = self._consumer().get_watermark_offsets(named(partition), timeout=ANSWER)
        return int(low if first == "earliest" else high)

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        by_name = {(p.topic, p.number): p for p in partitions}
        with _asking("the group's offsets"):
            answers = self._consumer().committed([named(p) for p in by_name.values()], timeout=ANSWER)
        return {
            by_name[answer.topic, answer.partition]: int(answer.offset)
            for answer in answers
            if answer.offset >= 0 and answer.metadata == AT_LEAST_ONCE
        }

    def commit(self, positions: Mapping[Partition, int], promise: str) -> Collection[Partition]:
        return self._pending.put(positions, promise)

    def commit_now(self) -> None:
        self._pending.commit()


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """A question that the broker may leave unanswered."""
    try:
        yield
    except KafkaException as error:
        raise LogAway(f"Kafka gave no answer about {what}: {error.args[0].str()}") from error
