"""What every log can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from oyez.schemas import OyezError

from ..core.record import Record
from ..database.positions import Partition
from .group_offsets import GroupOffsets


class LogError(OyezError):
    """A log cannot be read at all; the message says where and what to do."""


class LogAway(OyezError):
    """A log gave no answer; it may later."""


Remedy = Literal["seek", "rejoin", "restart"]
"""What is done about a partition that stalls: it is started anew at its position; then the member leaves its group and
joins again; then its worker ends, and is started anew."""


class Stalled(NamedTuple):
    """A partition that gives nothing from ``position`` on, though the log has records before ``end``."""

    partition: Partition
    position: int
    end: int
    remedy: Remedy

    @property
    def why(self) -> str:
        """What is wrong, in words."""
        return (
            f"{self.partition.topic} partition {self.partition.number} gives nothing, though it has records from "
            f"{self.position} to {self.end}"
        )


Said = Literal["done", "more", "outside", "silent", "absent"]


class Standing(NamedTuple):
    """What a log itself, asked past its client, says of what is left for a member: all is ``done``; there is ``more``;
    the member is ``outside`` its group; what it reads is ``absent``; or the log is ``silent``. ``why`` in words, but
    for what is done."""

    said: Said
    why: str = ""


DONE = Standing("done")


class Log(Protocol):
    """A member of a consumer group. Never used by two threads at once.

    The log assigns partitions to its members while they `poll`. A partition that is `gained` is read only
    after `start`; one that is lost is gone from `positions`, with its records, when `poll` returns. So is one
    whose topic was deleted and made again: it is gained under the topic's new id. Whatever asks the log
    something may raise `LogAway`.
    """

    @property
    def offsets(self) -> GroupOffsets:
        """Where partitions begin and end, and what the group has committed."""

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        """At most ``limit`` records of started partitions; waits up to ``wait`` s for the first, for no other."""

    def gained(self) -> list[Partition]:
        """Partitions that were assigned and not yet started."""

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets on, whether they were started before or not."""

    def leave(self, partition: Partition) -> None:
        """Read a partition no more until it is started again. While it stays assigned, it counts as gained."""

    def out_of_range(self) -> dict[Partition, int]:
        """Partitions that cannot be read on, with the position that is not in them (any more). They are left."""

    def positions(self) -> dict[Partition, int]:
        """The offset after the last record returned, for each started partition."""

    def lags(self) -> dict[Partition, int]:
        """How much is left in each started partition, as its offsets count, as far as that is known without asking."""

    def is_settled(self) -> bool:
        """Whether `gained` has said all: the member knows which partitions it was assigned since it joined."""

    def count(self, partition: Partition, position: int) -> int:
        """How many records a started partition has from a position on, as far as this is known without asking, or else
        asked. They are read for it where offsets do not count them."""

    def look_for_stalls(self) -> Sequence[Stalled]:
        """Partitions that have stalled. What is to be done about them is done, but for a restart. Often called, and
        seldom more than a look at the time."""

    def standing(self) -> Standing:
        """What the log said last of what is left. Nothing is asked, and nobody waits: `look_for_stalls` asks."""

    def idle(self) -> None:
        """Stay in the group without reading: nothing is fetched until the next `poll`, which reads on from where the
        last one ended. Whoever idles need not tell who polls."""

    def hold_back(self, partitions: AbstractSet[Partition]) -> None:
        """Read nothing of these partitions, until they are not among those that this is told again. They stay assigned,
        and all others are read on."""

    def close(self) -> None:
        """Leave the group."""


@runtime_checkable
class CountsPartitions(Protocol):
    """A log whose partitions are chosen by the key."""

    def partition_count(self, topic: str) -> int | None:
        """How many partitions a topic has; None as long as that is not known."""


def known_lag(log: Log) -> int | None:
    """How much is left in all started partitions, as `Log.lags` counts; None unless that is known of each of them."""
    lags = log.lags()
    return sum(lags.values()) if lags.keys() == log.positions().keys() else None
