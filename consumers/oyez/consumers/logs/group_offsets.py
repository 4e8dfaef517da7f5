"""The offsets of one group, as its members ask for them and commit them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, Protocol

from ..database.positions import Partition

FirstOffset = Literal["earliest", "latest"]


class GroupOffsets(Protocol):
    """Where a member may begin, and what its group has committed. Whatever asks may raise `LogAway`.

    `Offsets` says the same of all groups, to whoever is no member.
    """

    def siblings(self, partition: Partition) -> list[Partition]:
        """All partitions of a partition's topic."""

    def first_offset(self, partition: Partition, first: FirstOffset) -> int:
        """The offset of the earliest record, or the one after the latest."""

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offsets that an at-least-once group committed, for those partitions for which one did."""

    def commit(self, positions: Mapping[Partition, int], promise: str) -> Collection[Partition]:
        """Commit the group's offsets, for tools that show lag and for at-least-once groups: within a second, and before
        a partition is given back or the group is left. Returns the partitions of which some were committed in that
        way, now or since they were returned last."""

    def commit_now(self) -> None:
        """Commit what waits for it."""
