"""A MOCK of a client that stalls: a real one that pauses its partitions behind everybody's back.

No real client can be made to stall when a test wants it. This one fetches nothing, gives nothing and says nothing, and
what it knows of the ends stays where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from oyez.consumers.logs.log import Remedy


class StallingConsumer(Consumer):
    """Told to stall, it does until it is cured: by a new start at a position (`seek`), by a new client in its place
    (`rejoin`), or by nothing that this process can do (`restart`)."""

    made: list[StallingConsumer]

    def __init__(self, config: Any, **more: Any) -> None:
        super().__init__(config, **more)
        self.cure: Remedy | None = None
        self._ends: dict[tuple[str, int], tuple[int, int]] = {}

    def stall(self, cure: Remedy) -> None:
        self.cure = cure
        stalled = self.assignment()
        self._ends = {
            (p.topic, p.partition): super(StallingConsumer, self).get_watermark_offsets(p, cached=True)
            for p in stalled
        }
        self.pause(stalled)

    def get_watermark_offsets(self, partition: TopicPartition, **how: Any) -> tuple[int, int]:  # type: ignore[override]
        """As they were when it stalled: what was on its way just then is not told."""
        ends = self._ends.get((partition.topic, partition.partition))
        return super().get_watermark_offsets(partition, **how) if ends is None or self.cure is None else ends

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:  # type: ignore[override]
        super().incremental_assign(list(partitions))
        if self.cure == "seek":
            super().resume(list(partitions))
            self.cure = None
        elif self.cure is not None:
            self.pause(list(partitions))


class Clients:
    """Makes the clients of a member, and keeps the newest at hand."""

    def __init__(self) -> None:
        self.made: list[StallingConsumer] = []

    def __call__(self, config: Any, **more: Any) -> StallingConsumer:
        before = self.made[-1].cure if self.made else None
        self.made.append(StallingConsumer(config, **more))
        if before == "restart":
            self.made[-1].cure = before
        return self.made[-1]

    def stall(self, cure: Remedy) -> None:
        self.made[-1].stall(cure)
