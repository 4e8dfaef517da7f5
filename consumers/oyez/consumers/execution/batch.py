"""A batch: what a transaction takes from a log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection

from oyez.schemas import OyezError
from oyez.schemas.declaration import Prerequisite

from ..core.deadline import Deadline
from ..core.record import Record
from ..database import dead_letters, inbox, key_heads, positions, prerequisites
from ..database.positions import Move, Partition
from ..handlers.application import Group
from .broken_deploy import refuse_broken
from .cut import Place, cut
from .delivery import Delivery, Result, Work, each_of
from .intake import Kept, Load
from .pauses import PausedParts
from .reader import NOTHING, Decoded, Reader, Taken
from .readiness import Known, MetPrerequisites
from .rows import undecodable_row

B = TypeVar("B", bound="Batch")


class Fenced(OyezError):
    """Positions are not what this worker believes: another worker has the partition, or the row was moved."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self.partitions = tuple(partitions)
        named = ", ".join(f"{p.topic} {p.number}" for p in partitions)
        super().__init__(f"the position was moved by another: {named}")


@dataclass(frozen=True)
class Batch:
    """Records of a log, decoded. Handling them moves the positions and fills the inbox."""

    group: Group
    decoded: Decoded = NOTHING
    moves: Sequence[Move] = ()
    undecodable: Sequence[tuple[Record, str, str]] = ()
    """What is no event: the record, its topic's id, and the reason."""
    again: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """By topic and partition: the offset below which events are handled again, though the inbox has them."""
    missing: Set[Prerequisite] = frozenset()
    """What was not met when it was last asked, and is not completed by the batch itself."""
    paused: PausedParts | None = None
    """What of the group is paused: it is parked."""
    prepared: Sequence[Work] = ()
    """All its events with their deliveries, if somebody has made these already."""

    @property
    def size(self) -> int:
        """How many events it has."""
        return len(self.decoded.envelopes)

    def take(self, db: Connection, now: float) -> Load:
        """Steps 1 and 2: move the positions, fencing us if they are not ours; keep what the inbox had not."""
        unmoved = positions.advance(db, self.group.name, self.moves, now) if self.moves else []
        if unmoved:
            raise Fenced([move.partition for move in unmoved])
        new = self._new(db, now)
        is_all = new is self.decoded.events
        return Load(self.prepared if self.prepared and is_all else self.works(new))

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """Step 3: which keys have parked rows. Prerequisites were asked for before the transaction; what was missing
        then is asked for once more, since what is met only now would be parked for nothing."""
        if self.missing:
            met.add(prerequisites.met(db, self.group.app, self.missing))
        seen = {(taken.declaration.name, taken.envelope.get("partitionkey")) for taken, _ in load.works}
        keys = {
            (handler.name, key)
            for signal, key in seen
            if key is not None
            for handler in self.group.by_signal[signal]
            if handler.ordered
        }
        return Known(met, key_heads.heads(db, self.group.app, keys) if keys else {}, paused=self.paused)

    def keep(self, db: Connection, results: Sequence[Result], deadline: Deadline) -> Kept:
        """Refuse a batch in which everything is broken; when the time was up, cut it: the ids of its tail are taken
        out of the inbox, and the positions set to where it begins."""
        refuse_broken(results)
        if not deadline.is_over():
            return Kept(results)
        found = cut(results)
        inbox.remove(db, self.group.name, {(taken.source, taken.id) for taken in found.tail})
        shortened = [move for move in self.made(found.ends) if move not in self.moves]
        positions.set_back(db, self.group.name, shortened)
        return Kept(found.results, found.ends)

    def finish(self, db: Connection, kept: Kept, now: float) -> int:
        """Keep what could not be decoded; returns how many. Last, and sorted: other groups read the same records."""
        if not self.undecodable:
            return 0
        rows = [
            undecodable_row(self.group, record, topic, why, now)
            for record, topic, why in self.undecodable
            if is_before(record, kept.ends)
        ]
        dead_letters.bury(db, sorted(rows, key=itemgetter("event_id")))
        return len(rows)

    def made(self, ends: Mapping[Place, int]) -> list[Move]:
        """The moves that were committed, of a batch that was cut at these ``ends``."""
        return [move._replace(next=min(move.next, ends.get(_place(move), move.next))) for move in self.moves]

    def prepare(self: B) -> B:
        """The same with its deliveries, which are looked at before the transaction and handled in it."""
        return replace(self, prepared=self.works(self.decoded.events))

    def works(self, events: Sequence[Taken]) -> list[Work]:
        """The events with a delivery for each of their handlers."""
        handlers = self.group.by_signal
        if len(self.group.handlers) == 1:
            (handler,) = self.group.handlers
            return [(delivery.taken, [delivery]) for delivery in each_of(handler, events)]
        return [
            (taken, [Delivery.of(handler, taken, at) for handler in handlers[taken.declaration.name]])
            for at, taken in enumerate(events)
        ]

    def _new(self, db: Connection, now: float) -> Sequence[Taken]:
        if not self.decoded.envelopes:
            return ()
        ids = [(envelope["source"], envelope["id"]) for envelope in self.decoded.envelopes]
        new = inbox.admit(db, self.group.name, dict.fromkeys(ids), now)  # in order they are sorted in no time
        if self.again:
            new = {*new} | {taken.event_id for taken in self.decoded.events if self._is_again(taken.record)}
        if len(new) == len(ids):
            return self.decoded.events
        first = {event_id: at for at, event_id in reversed(list(enumerate(ids)))}
        return [self.decoded.events[at] for at in sorted(first[event_id] for event_id in new)]

    def _is_again(self, record: Any) -> bool:
        """Whether somebody has asked for a record to be handled again."""
        return bool(record.offset() < self.again.get((record.topic(), record.partition()), 0))


def is_before(record: Any, ends: Mapping[Place, int]) -> bool:
    """Whether a record is before the end of its partition's part, if that was cut."""
    end: float = ends.get((record.topic(), record.partition()), math.inf)
    return bool(record.offset() < end)


def _place(move: Move) -> Place:
    return move.partition.topic, move.partition.number


def decode(
    batch: B, reader: Reader, records: Sequence[Record], topic_ids: Mapping[tuple[str, int], str]
) -> B:
    """The batch with the events of these records; what cannot be decoded is kept with the reason."""
    decoded, refused = reader.read_all(records)
    undecodable = [
        (record, topic_ids.get((record.topic(), record.partition()), record.topic()), reason)
        for record, reason in refused
    ]
    return replace(batch, decoded=decoded, undecodable=undecodable, prepared=())
