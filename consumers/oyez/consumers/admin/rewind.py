"""Rewinding: a group goes on from other positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from oyez.schemas import OyezError

from ..database import positions
from ..database.clock import Clock
from ..database.engine import Database
from ..database.positions import Held, Partition
from ..database.rewinding import rewind
from ..handlers.application import Group
from ..handlers.registry import AT_LEAST_ONCE, EXACTLY_ONCE
from ..logs.offsets import Ends, Offsets
from ..partitions.initial_positions import made_again, remade_from


class NotBegun(OyezError):
    """A group has no positions that could be moved."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """A partition and its positions before and after, in offsets; ``was_halted``: it was not read before."""

    partition: Partition
    before: int
    after: int
    was_halted: bool

    @property
    def read_again(self) -> int:
        """How many offsets are read a second time."""
        return max(0, self.before - self.after)

    @property
    def skipped(self) -> int:
        """How many offsets are never read."""
        return max(0, self.after - self.before)


class Rewinding:
    """Moves positions of one group in these logs. An at-least-once group's are in Kafka; its rows
    follow them."""

    def __init__(
        self,
        group: Group,
        database: Database,
        offsets: Offsets,
        logs: Sequence[Ends],
        clock: Clock,
    ) -> None:
        self._group = group
        self._database = database
        self._offsets = offsets
        self._logs = {log.topic_id: log for log in logs}
        self._clock = clock

    def plan(self, to: Mapping[Partition, int]) -> list[Rewound]:
        """What would be done. Raises `NotBegun`."""
        with self._database.reading() as db:
            for topic_id in _logs(to):
                self._remade_from(db, self._logs[topic_id])
            rows = positions.read(db, self._group.name, to)
        return self._rewound(to, rows, self._committed())

    def perform(self, to: Mapping[Partition, int], *, is_again: bool) -> list[Rewound]:
        """Move them all, or none. Raises `GroupActive` and `NotBegun`."""
        committed = self._committed()
        self._commit(to, committed)
        is_again = is_again and self._group.is_exact
        rows = self._database.repeat(lambda db: self._write(db, to, is_again=is_again))
        return self._rewound(to, rows, committed)

    def _write(self, db: Connection, to: Mapping[Partition, int], *, is_again: bool) -> dict[Partition, Held]:
        before: dict[Partition, Held] = {}
        now, name = self._clock(db), self._group.name
        for topic_id in _logs(to):
            self._begin(db, self._logs[topic_id], now)
            ours = {partition: offset for partition, offset in to.items() if partition.topic_id == topic_id}
            before |= rewind(db, name, ours, now, is_again=is_again)
        return before

    def _begin(self, db: Connection, log: Ends, now: float) -> None:
        """Rows for what no worker has seen yet, as a worker would make them."""
        name = self._group.name
        starts = {Partition(log.topic, log.topic_id, n): one.low for n, one in log.partitions.items()}
        before = self._remade_from(db, log)
        halted = made_again(name, next(iter(starts)), before) if before else None
        positions.begin(db, name, starts, now, halted)

    def _remade_from(self, db: Connection, log: Ends) -> list[str]:
        """The ids of the topics of this name that the group has positions in, if it has none in this one."""
        name = self._group.name
        if positions.known(db, name, log.topic_id):
            return []
        before = remade_from(log.topic_id, positions.others(db, name, log.topic, log.topic_id))
        if not before:
            raise NotBegun(
                f"{name} has not begun to read {log.topic}: it has no position there, and will begin where "
                f"OYEZ_FIRST_OFFSET says; nothing was changed"
            )
        return before

    def _rewound(
        self, to: Mapping[Partition, int], rows: Mapping[Partition, Held], committed: Mapping[Partition, int]
    ) -> list[Rewound]:
        found = []
        for partition, after in sorted(to.items()):
            row = rows.get(partition)
            low = self._logs[partition.topic_id].partitions[partition.number].low
            before = low if row is None else row.position
            if not self._group.is_exact:
                before = committed.get(partition, before)
            found.append(Rewound(partition, before, after, row is not None and row.halted is not None))
        return found

    def _committed(self) -> dict[Partition, int]:
        committed = self._offsets.committed(self._group.name, self._logs.values())
        return {
            Partition(log.topic, log.topic_id, number): committed[log.topic, number]
            for log in self._logs.values()
            for number in log.partitions
            if (log.topic, number) in committed
        }

    def _commit(self, to: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """An exactly-once group that was at-least-once before would go on where it committed then."""
        if self._group.is_exact:
            to = {
                partition: offset for partition, offset in to.items() if committed.get(partition, 0) > offset
            }
        named = {(partition.topic, partition.number): offset for partition, offset in to.items()}
        promise = EXACTLY_ONCE if self._group.is_exact else AT_LEAST_ONCE
        self._offsets.commit(self._group.name, named, promise)


def _logs(to: Mapping[Partition, int]) -> list[str]:
    return sorted({partition.topic_id for partition in to})
