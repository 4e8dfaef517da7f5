"""Where a transaction's events come from: a batch of a log, or a claim of parked rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from oyez.schemas import OyezError, Undecodable

from .application import Group
from .asking import answered
from .database import claims, dead, inbox, parked, positions
from .database.claims import ParkedRow
from .database.positions import Move, Partition
from .lettering import undecodable_row
from .planning import Work
from .readiness import MetPairs, Readiness, ask
from .reading import Original, Reader, Record, Taken
from .shares import Share


class Fenced(OyezError):
    """Positions are not what this worker believes: another worker has the partition, or the row was moved."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self.partitions = tuple(partitions)
        named = ", ".join(f"{p.topic} {p.number}" for p in partitions)
        super().__init__(f"the position was moved by another: {named}")


@dataclass
class Batch:
    """Records of a log, decoded. Handling them moves the positions and fills the inbox."""

    group: Group
    events: list[Taken]
    moves: list[Move]
    undecodable: list[tuple[Record, str, str]] = field(default_factory=list)
    again: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """By topic and partition: the offset below which events are handled again, though the inbox has them."""

    def take(self, db: Connection, now: float) -> list[Work]:
        """Steps 1 and 2: move the positions, fencing us if they are not ours; keep what the inbox had not."""
        unmoved = positions.advance(db, self.group.name, self.moves, now) if self.moves else []
        if unmoved:
            raise Fenced([move.partition for move in unmoved])
        return self.works(self._new(db, now))

    def finish(self, db: Connection, now: float) -> int:
        """Keep what could not be decoded; returns how many. Last, and sorted: other groups read the same records."""
        rows = [
            undecodable_row(self.group, record, topic, why, now) for record, topic, why in self.undecodable
        ]
        dead.bury(db, sorted(rows, key=itemgetter("event_id")))
        return len(rows)

    def readiness(self, db: Connection, works: list[Work], met: MetPairs) -> Readiness:
        """Step 3: which keys have parked rows. Prerequisites were asked for before the transaction."""
        keys = {key for _, shares in works for share in shares if (key := share.ordered_key) is not None}
        return Readiness(met, parked.heads(db, self.group.app, keys))

    def works(self, events: Sequence[Taken]) -> list[Work]:
        """The events with a share for each of their handlers."""
        handlers = self.group.by_signal
        if len(self.group.handlers) == 1:
            (handler,) = self.group.handlers
            return [(taken, [Share(handler, taken, at)]) for at, taken in enumerate(events)]
        return [
            (taken, [Share(handler, taken, at) for handler in handlers[taken.declaration.name]])
            for at, taken in enumerate(events)
        ]

    def _new(self, db: Connection, now: float) -> list[Taken]:
        if not self.events:
            return []
        ids = [(taken.source, taken.id) for taken in self.events]
        new = inbox.admit(db, self.group.name, set(ids), now)
        if self.again:
            new = new | {taken.event_id for taken in self.events if self._is_again(taken.record)}
        if len(new) == len(ids):
            return self.events
        first = {event_id: at for at, event_id in reversed(list(enumerate(ids)))}
        return [self.events[at] for at in sorted(first[event_id] for event_id in new)]

    def _is_again(self, record: Original) -> bool:
        """Whether somebody has asked for a record to be handled again."""
        place: Any = record  # what a batch of a log is made of
        return bool(place.offset() < self.again.get((place.topic(), place.partition()), 0))


class Claim:
    """Parked rows that are due. Taking them locks them until the transaction ends."""

    def __init__(self, group: Group, reader: Reader, limit: int) -> None:
        self._group = group
        self._reader = reader
        self._limit = limit
        self.taken = 0
        self.delays: list[float] = []
        """For how many seconds the rows had been due that are due by themselves."""
        self._lost = 0

    def take(self, db: Connection, now: float) -> list[Work]:
        """Claim; only a key's head and the rows behind it, in order."""
        return self._works(db, self._claimed(db, now), now)

    def _claimed(self, db: Connection, now: float) -> list[ParkedRow]:
        group = self._group
        rows = claims.claim(db, group.app, group.name, list(group.by_name), now, self._limit)
        self.taken = len(rows)
        self.delays = [now - row.due_at for row in rows if row.due_at is not None and row.due_at <= now]
        return _before_later(rows, now)

    def _works(self, db: Connection, rows: Sequence[ParkedRow], now: float) -> list[Work]:
        works: list[Work] = []
        lost: list[tuple[ParkedRow, str]] = []
        for at, row in enumerate(rows):
            try:
                taken = self._read(row)
            except Undecodable as error:
                lost.append((row, error.reason))
            else:
                works.append((taken, [Share(self._group.by_name[row.handler], taken, at, row)]))
        self._bury(db, lost, now)
        return works

    def readiness(self, db: Connection, works: list[Work], met: MetPairs) -> Readiness:
        """Each row is checked from the start. There are no heads: whoever holds the head of a key holds the key."""
        readiness = Readiness(met, {})
        unmet = ask(db, self._group.app, works, met)
        for pair in answered(db, self._group, works, unmet):
            readiness.complete(pair, -1)
        if unmet:
            self._find_last(db, [share for _, shares in works for share in shares if share.pair in unmet])
        return readiness

    def _find_last(self, db: Connection, needed: Sequence[Share]) -> None:
        """Others of this claim wait for these shares' events: a long chain is not to take a transaction a link."""
        completing = self._group.completing
        names = {name for share in needed for name in completing[share.taken.declaration.name]}
        ours = [share for share in needed if share.handler.name in names]
        last = dead.last(db, self._group.app, [share.taken.event_id for share in ours], sorted(names))
        for share in ours:
            share.is_last = share.taken.event_id in last

    def _read(self, row: ParkedRow) -> Taken:
        taken = self._reader.read(row)
        if taken is None:
            raise Undecodable(f"it is no {self._group.by_name[row.handler].declaration.name} any more")
        return taken

    def finish(self, db: Connection, now: float) -> int:
        """What could not be decoded was buried before the rest was run; returns how many."""
        return self._lost

    def _bury(self, db: Connection, rows: Sequence[tuple[ParkedRow, str]], now: float) -> None:
        self._lost = len(rows)
        dead.bury(db, [dead.letter(row, self._group.app, "undecodable", reason, now) for row, reason in rows])
        parked.remove(db, [row.id for row, _ in rows])


def _before_later(rows: Sequence[ParkedRow], now: float) -> list[ParkedRow]:
    """Rows of a key end before one that is due only later."""
    later: set[tuple[str, str | None]] = set()
    kept = []
    for row in rows:
        key = (row.handler, row.key_text)
        if row.ordered and (key in later or (row.due_at is not None and row.due_at > now)):
            later.add(key)
        else:
            kept.append(row)
    return kept


def decode(
    group: Group,
    reader: Reader,
    records: Sequence[Record],
    moves: Sequence[Move],
    topic_ids: Mapping[str, str],
    again: Mapping[tuple[str, int], int] | None = None,
) -> Batch:
    """The batch that these records make for a group; what cannot be decoded is kept with the reason."""
    batch = Batch(group, [], list(moves), again=again or {})

    def refuse(record: Record, reason: str) -> None:
        batch.undecodable.append((record, topic_ids.get(record.topic(), record.topic()), reason))

    batch.events = reader.read_all(records, refuse)
    return batch


__all__ = ["Batch", "Claim", "Fenced", "Original", "decode"]
