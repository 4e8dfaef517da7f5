"""Offsets that wait to be committed: the broker is told once a second, and not after each batch.

A second of events may be read again by the next member of an at-least-once group, should this one be killed. If that
was an event's doing, the next one must get nearer to it, or its deaths would never add up: so at first everything is
committed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, TopicPartition

from ...database.positions import Partition

EVERY = 1.0  # s between two commits
AT_FIRST = 5.0  # s after a start; a second of events, handled again, takes less


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
        self._committed = float("-inf")
        self._began = float("-inf")

    def begin(self) -> None:
        """Partitions are started: for a while their offsets are committed at once."""
        self._began = self._clock()

    def put(self, positions: Mapping[Partition, int], promise: str) -> None:
        """Commit these with the next ones, or now if it is time."""
        self._pending.update({p: (offset, promise) for p, offset in positions.items()})
        self.commit_if_due()

    def commit_if_due(self) -> None:
        """Commit what waits for it, if it is time."""
        now = self._clock()
        if self._pending and (now - self._committed >= EVERY or now - self._began < AT_FIRST):
            self.commit()

    def commit(self) -> None:
        """Commit what waits for it. The answer comes later."""
        offsets = [
            TopicPartition(p.topic, p.number, offset, promise)
            for p, (offset, promise) in self._pending.items()
            if p in self._started
        ]
        self._pending.clear()
        self._committed = self._clock()
        if offsets:
            self._consumer().commit(offsets=offsets, asynchronous=True)

    def commit_at_last(self) -> None:
        """The same where nothing may be raised: the group is dealt anew, or left."""
        with suppress(KafkaException):
            self.commit()
