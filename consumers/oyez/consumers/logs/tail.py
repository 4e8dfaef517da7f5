"""Reading a log beside all groups: what passes, and what has passed. Nothing is joined, and nothing committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from ..core.record import Record
from ..database.positions import Partition
from .offsets import PartitionEnds


class Tail(Protocol):
    """A reader of some topics. Raises what the log's client raises when there is no answer."""

    def ends(self) -> Mapping[Partition, PartitionEnds]:
        """The partitions that are there, and what they have."""

    def at(self, time: float) -> Mapping[Partition, int]:
        """Where in each the first record at or after ``time`` is, in seconds since the epoch; the end if there is
        none."""

    def before(self, partition: Partition, end: int, count: int) -> int:
        """A position with ``count`` records between it and ``end``, if there are so many; else the lowest."""

    def read(self, partition: Partition, begin: int, end: int) -> Iterator[Record]:
        """The records from ``begin`` on, before ``end``."""

    def follow(self, begins: Mapping[Partition, int]) -> None:
        """Read on from these positions; of partitions that come later, everything."""

    def poll(self, wait: float) -> Sequence[Record]:
        """What comes next, within ``wait`` seconds."""

    @property
    def is_at_end(self) -> bool:
        """Whether everything has been read that was there when it began to follow; what comes meanwhile may have no
        end."""

    def close(self) -> None:
        """Let go of the log."""
