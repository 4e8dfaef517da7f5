"""A batch that is tried again: by then something of the group may have been paused, or be another worker's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from oyez.schemas import OyezError

from ..core.report import Report
from ..database.positions import Held, Partition
from ..execution.at_least_once import AtLeastOnceBatch
from ..execution.batch import Batch
from ..execution.pauses import PausedParts, Pauses
from ..execution.reader import Decoded
from ..partitions.held import still_held
from ..partitions.ownership import Ownership
from .in_step import Stopped

Work = Callable[[Any, Stopped], Report]
"""What is done with a batch."""


class GroupPaused(OyezError):
    """The whole group has been paused since a batch was read: the batch is given up, and read again later."""


class TriedAgain:
    """The further attempts at a batch."""

    def __init__(
        self, batch: Batch, work: Work, pauses: Pauses, ownership: Ownership, follow: Callable[[], None]
    ) -> None:
        """``follow`` follows what the log assigns and takes away."""
        self.batch = batch
        """What was tried last."""
        self._work = work
        self._pauses = pauses
        self._ownership = ownership
        self._follow = follow

    def __call__(self, stopped: Stopped) -> Report:
        """One of them. Raises `GroupPaused`, or what the work does."""
        self._pauses.look()
        if isinstance(self.batch, AtLeastOnceBatch):  # others are fenced where something was lost
            self._follow()
            self.batch = without_lost(self.batch, self._ownership.held)
        self.batch = with_pauses(self.batch, self._pauses.now)
        return self._work(self.batch, stopped)


def with_pauses(batch: Batch, paused: PausedParts | None) -> Batch:
    """The batch, with what is paused now. Raises `GroupPaused`."""
    if paused is not None and paused.is_whole:
        raise GroupPaused(f"{batch.group.name} is paused")
    return replace(batch, paused=paused)


def without_lost(batch: AtLeastOnceBatch, held: Mapping[Partition, Held]) -> AtLeastOnceBatch:
    """The batch without the partitions that were lost since it was read. One that came back is read from where its
    group has committed."""
    moves = still_held(batch.moves, held)
    if len(moves) == len(batch.moves):
        return batch
    ours = {(move.partition.topic, move.partition.number) for move in moves}

    def is_ours(record: Any) -> bool:
        return (record.topic(), record.partition()) in ours

    return replace(
        batch,
        moves=moves,
        decoded=Decoded.of([one for one in batch.decoded.events if is_ours(one.record)]),
        undecodable=[one for one in batch.undecodable if is_ours(one[0])],
    )
