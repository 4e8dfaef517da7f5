"""What logs have, and how far groups have come in them by what they committed there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from oyez.schemas import OyezError

from ..core.counted import Unit

AT_LEAST_ONCE = "at-least-once"
"""The promise of groups whose committed offsets are their positions."""


class GroupActive(OyezError):
    """A group's offsets cannot be set while it has members."""


class PartitionEnds(NamedTuple):
    """The offset of a partition's earliest record, and the one after its latest."""

    low: int
    high: int


class Ends(NamedTuple):
    """A log of a topic: its id, and the ends of its partitions. In Kafka a topic is one log, in the spool each of its
    folders is one."""

    topic: str
    topic_id: str
    partitions: Mapping[int, PartitionEnds]


class Offsets(Protocol):
    """What logs and their groups have, and what groups are to have committed."""

    @property
    def unit(self) -> Unit:
        """What offsets count, and so lags."""

    def ends(self, topics: Iterable[str]) -> list[Ends]:
        """The logs of these topics; a topic that is not there yet has none."""

    def committed(self, group: str, logs: Iterable[Ends]) -> dict[tuple[str, int], int]:
        """The offsets that an at-least-once group has committed, by topic and partition."""

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int], promise: str) -> None:
        """Set a group's offsets, as a group with this promise commits them. Raises `GroupActive`."""

    def at(self, log: Ends, time: float) -> dict[int, int | None]:
        """The offsets of the first records at or after ``time``, in seconds since the epoch; None after the last."""

    def is_begin(self, log: Ends, number: int, offset: int) -> bool:
        """Whether a record begins, or will, at an offset between the ends of a partition: where it counts records, at
        each."""

    def copy_committed(self, old: str, new: str) -> int:
        """Give what an at-least-once group committed to another group; returns for how many partitions."""

    def kept_for(self) -> float | None:
        """For how many seconds what an at-least-once group committed is kept while it has no members; None if that is
        for ever, or not known."""
