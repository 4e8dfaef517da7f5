"""How the client is told what to read. The group's protocol decides, and takes no other way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from confluent_kafka import Consumer, TopicPartition

from ...database.positions import Partition

COOPERATIVE = "cooperative-sticky"


class Assigning(Protocol):
    """Tells the client from where partitions are read; ``current`` are those that are read, with their positions."""

    def accept(self, consumer: Consumer) -> None:
        """Partitions were assigned; nothing is read of them yet."""

    def start(
        self, consumer: Consumer, current: Mapping[Partition, int], more: Mapping[Partition, int]
    ) -> None:
        """Read ``more`` from these positions, whether they are read already or not."""

    def stop(self, consumer: Consumer, current: Mapping[Partition, int], gone: Partition) -> None:
        """Read one no more, though it stays assigned."""

    def give_back(self, consumer: Consumer, gone: Iterable[Partition]) -> None:
        """Partitions were taken away."""


class Incremental:
    """The cooperative protocol, and the one of KIP-848: each partition comes and goes by itself."""

    def accept(self, consumer: Consumer) -> None:
        consumer.incremental_assign([])

    def start(
        self, consumer: Consumer, current: Mapping[Partition, int], more: Mapping[Partition, int]
    ) -> None:
        again = [named(p) for p in more if p in current]
        if again:
            consumer.incremental_unassign(again)
        consumer.incremental_assign([named(p, at) for p, at in more.items()])

    def stop(self, consumer: Consumer, current: Mapping[Partition, int], gone: Partition) -> None:
        consumer.incremental_unassign([named(gone)])

    def give_back(self, consumer: Consumer, gone: Iterable[Partition]) -> None:
        consumer.incremental_unassign([named(p) for p in gone])


class Whole:
    """The eager protocol, of range and roundrobin: everything is taken away before anything is assigned anew.

    Whatever changes, all that is read is named again, each at its position: the client drops what it has
    fetched and not yet handed out.
    """

    def accept(self, consumer: Consumer) -> None:
        consumer.assign([])

    def start(
        self, consumer: Consumer, current: Mapping[Partition, int], more: Mapping[Partition, int]
    ) -> None:
        consumer.assign([named(p, at) for p, at in {**current, **more}.items()])

    def stop(self, consumer: Consumer, current: Mapping[Partition, int], gone: Partition) -> None:
        consumer.assign([named(p, at) for p, at in current.items() if p != gone])

    def give_back(self, consumer: Consumer, gone: Iterable[Partition]) -> None:
        consumer.unassign()


def assigning(config: Mapping[str, Any]) -> Assigning:
    """The way of the protocol that this configuration of the client means."""
    is_classic = config.get("group.protocol", "classic") == "classic"
    strategy = str(config.get("partition.assignment.strategy", COOPERATIVE))
    return Whole() if is_classic and COOPERATIVE not in strategy else Incremental()


def named(partition: Partition, offset: int | None = None) -> Any:
    """A partition as the client names it."""
    if offset is None:
        return TopicPartition(partition.topic, partition.number)
    return TopicPartition(partition.topic, partition.number, offset)
