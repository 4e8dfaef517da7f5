"""A batch that is tried or settled again: by then something of the group may be paused, or another worker's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from oyez.schemas import OyezError

from ..core.report import Report
from ..database.positions import Held, Move, Partition
from ..execution.at_least_once import AtLeastOnceBatch
from ..execution.batch import Batch
from ..execution.cut import Place
from ..execution.intake import Kept
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


class SettledAgain:
    """The further attempts to settle a batch of an at-least-once group, whose handlers have run."""

    def __init__(
        self,
        settle: Callable[[AtLeastOnceBatch, Kept], Report],
        batch: AtLeastOnceBatch,
        unfinished: Kept,
        ownership: Ownership,
        follow: Callable[[], None],
    ) -> None:
        """``unfinished`` is what was not done; ``follow`` as for `TriedAgain`."""
        self._settle = settle
        self._batch = batch
        self._unfinished = unfinished
        self._ownership = ownership
        self._follow = follow

    def __call__(self) -> Report:
        """One of them. Raises `DatabaseAway`."""
        self._follow()
        self._batch = without_lost(self._batch, self._ownership.held)
        return self._settle(self._batch, kept_of(self._unfinished, self._batch))


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
    ours = places(moves)
    events = batch.decoded.events
    kept = [at for at, taken in enumerate(events) if place(taken.record) in ours]
    expired = batch.expired
    return replace(
        batch,
        moves=moves,
        decoded=Decoded.of([events[at] for at in kept]),
        undecodable=[one for one in batch.undecodable if place(one[0]) in ours],
        expired=None if expired is None else frozenset(n for n, at in enumerate(kept) if at in expired),
    )


def kept_of(kept: Kept, batch: AtLeastOnceBatch) -> Kept:
    """What is kept of the partitions that the batch still has."""
    ours = places(batch.moves)
    return Kept(
        [result for result in kept.results if place(result[0].taken.record) in ours],
        {where: end for where, end in kept.ends.items() if where in ours},
    )


def places(moves: Iterable[Move]) -> set[Place]:
    """Those of the partitions that are moved."""
    return {(move.partition.topic, move.partition.number) for move in moves}


def place(record: Any) -> Place:
    """The place of a record's partition."""
    return record.topic(), record.partition()
