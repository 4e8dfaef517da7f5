"""Offsets that wait to be committed: the broker is told once a second, and not after each batch.

A second of events may be read again by the next member of an at-least-once group, should this one be killed. Before a
second is over nothing is committed: so it is known of a member that is killed soon that it has not got on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, TopicPartition

from ...database.positions import Partition

EVERY = 1.0  # s between two commits


class PendingOffsets:
    """Those of one member. ``clock`` counts seconds."""

    def __init__(
        self, consumer: Callable[[], Consumer], started: Collection[Partition], clock: Callable[[], float]
    ) -> None:
        """``consumer`` gives the member's client of the moment. ``started`` are the partitions that the member reads,
        at any time: of others it commits nothing."""
        self._consumer = consumer
        self._started = started
        self._clock = clock
        self._pending: dict[Partition, tuple[int, str]] = {}
        self._committed = clock()
        self._told: set[Partition] = set()

    def put(self, positions: Mapping[Partition, int], promise: str) -> Collection[Partition]:
        """Commit these with the next ones, or now if it is time; those of which some were, since this was said last."""
        self._pending.update({p: (offset, promise) for p, offset in positions.items()})
        self.commit_if_due()
        told = positions.keys() & self._told
        self._told -= told
        return told

    def commit_if_due(self) -> None:
        """Commit what waits for it, if it is time."""
        if self._pending and self._clock() - self._committed >= EVERY:
            self._told |= self._pending.keys()
            self.commit()

    def commit(self) -> None:
        """Commit what waits for it. The answer comes later."""
        offsets = [
            TopicPartition(p.topic, p.number, offset, promise)
            for p, (offset, promise) in self._pending.items()
            if p in self._started
        ]
        self._pending.clear()
        self._told.intersection_update(self._started)  # what was given up begins anew when it comes back
        self._committed = self._clock()
        if offsets:
            self._consumer().commit(offsets=offsets, asynchronous=True)

    def commit_at_last(self) -> None:
        """The same where nothing may be raised: the group is dealt anew, or left."""
        with suppress(KafkaException):
            self.commit()
