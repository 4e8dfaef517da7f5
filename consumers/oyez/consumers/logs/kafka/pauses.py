"""Which partitions the client keeps and does not fetch: all of an idle member's, and those that are held back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet

from confluent_kafka import Consumer

from ...database.positions import Partition
from .assignment import named


class Pauses:
    """Those of one member."""

    def __init__(self, consumer: Callable[[], Consumer]) -> None:
        """``consumer`` gives the member's client of the moment."""
        self._consumer = consumer
        self._paused: set[Partition] = set()
        self.held_back: frozenset[Partition] = frozenset()

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Fetch nothing of these."""
        found = set(partitions)
        self._consumer().pause([named(p) for p in found])
        self._paused |= found

    def end(self, partitions: Iterable[Partition]) -> None:
        """Fetch these again, but for what is held back. The client keeps a partition paused that is taken away and
        comes back."""
        paused = self._paused.intersection(partitions) - self.held_back
        if paused:
            self._consumer().resume([named(p) for p in paused])
            self._paused -= paused

    def hold_back(
        self, partitions: AbstractSet[Partition], started: Iterable[Partition], *, is_idle: bool
    ) -> None:
        """Fetch nothing of these from now on, and again what was held back before. While the member is idle everything
        is paused already."""
        before, self.held_back = self.held_back, frozenset(partitions)
        if is_idle:
            return
        if more := self.held_back.intersection(started) - self._paused:
            self.pause(more)
        if before:
            self.end((before - self.held_back).intersection(started))

    def forget(self) -> None:
        """There is a new client, which has paused nothing."""
        self._paused.clear()
