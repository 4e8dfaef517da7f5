"""How far an import has come: what was announced, and what has become of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, TableClause, bindparam, func, not_, select, text, union

from visits.handlers import on
from visits.oyez_tables import dead, inbox, outbox, parked, position

GROUPS = sorted({handler.group for handler in on})
OWN_SOURCE = f"{on.app}/"  # how the sources of what handlers announce begin
DELIVERIES = 2  # handlers for each event of the servers

_IN_OUTBOX = select(func.count()).select_from(outbox).where(outbox.c.topic == bindparam("name"))


@dataclass(frozen=True, slots=True)
class Progress:
    """A look at an import. An event is handled when each of its handlers has succeeded. announced and handled are those
    of the servers; what a handler announces counts with what is left to do.

    parked are the deliveries in the retry table now, ever_parked those that ever were, released those that have
    been handled since; lag is how much (records, or bytes of the spool) the group that is furthest behind has not read;
    unsent is how many events stand in the outbox.
    """

    announced: int = 0
    handled: int = 0
    parked: int = 0
    ever_parked: int = 0
    released: int = 0
    dead: int = 0
    lag: int = 0
    unsent: int = 0

    @property
    def parked_delivery(self) -> float:
        """Which part of all deliveries was ever parked, from 0 to 1."""
        return self.ever_parked / (DELIVERIES * self.announced) if self.announced else 0.0

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do with what was announced."""
        return self.lag == 0 and self.parked == 0 and self.unsent == 0


class Course(Protocol):
    """What the events go through: a topic of Kafka, or of the spool."""

    name: str

    def create(self, partitions: int) -> None:
        """Make sure that it is there."""

    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition."""

    def has_workers(self, db: Connection, groups: Collection[str]) -> bool:
        """Whether every group is read."""


class Lines:
    """How many lines a growing file has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._lines = 0

    def count(self) -> int:
        """The number of whole lines by now; 0 while there is no file."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            self._read += len(new)
            self._lines += new.count(b"\n")
        return self._lines


@dataclass(frozen=True, slots=True)
class Observer:
    """What an import is looked at with; earlier is last_parked() of the database before it began."""

    topic: Course
    notes: Sequence[Lines]
    earlier: int

    def look(self, db: Connection) -> Progress:
        """Look once."""
        # In this order: what moves on from unread to parked, or to the outbox and from there to unread, between two
        # questions is not missed by all.
        before = self._lag(db)
        waiting = _count(db, parked)
        unsent = db.execute(_IN_OUTBOX, {"name": self.topic.name}).scalar_one()
        lag = max(before, self._lag(db))
        gone, gone_from_parked = _count(db, dead), _count(db, dead, dead.c.parked_id.is_not(None))
        taken = db.execute(select(func.count()).where(inbox.c.group_name.in_(GROUPS), _of_servers(inbox)))
        ever = last_parked(db) - self.earlier
        return Progress(
            announced=sum(notes.count() for notes in self.notes),
            handled=taken.scalar_one() - _unfinished(db),
            parked=waiting,
            ever_parked=ever,
            released=ever - waiting - gone_from_parked,
            dead=gone,
            lag=lag,
            unsent=unsent,
        )

    def _lag(self, db: Connection) -> int:
        return max(_unread(db, self.topic.name, self.topic.ends()).values())

    def listening(self, db: Connection) -> bool:
        """Whether every group has its workers."""
        return self.topic.has_workers(db, GROUPS)


def last_parked(db: Connection) -> int:
    """The number last given to a parked delivery. They count from 1; PostgreSQL skips those of a rollback."""
    if db.dialect.name == "sqlite":
        statement = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'oyez_parked'"
    else:
        statement = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('oyez_parked', 'id')), 0)"
    return int(db.execute(text(statement)).scalar_one())


def _count(db: Connection, table: TableClause, *conditions: ColumnElement[bool]) -> int:
    return db.execute(select(func.count()).where(table.c.app == on.app, *conditions)).scalar_one()


def _of_servers(table: TableClause) -> ColumnElement[bool]:
    return not_(table.c.source.startswith(OWN_SOURCE, autoescape=True))


def _unfinished(db: Connection) -> int:
    """How many events have a delivery that is parked or dead."""
    ours = (select(t.c.source, t.c.event_id).where(t.c.app == on.app, _of_servers(t)) for t in (parked, dead))
    return db.execute(select(func.count()).select_from(union(*ours).subquery())).scalar_one()


def _unread(db: Connection, topic: str, ends: Mapping[int, int]) -> dict[str, int]:
    positions = _positions(db, topic)
    return {
        group: sum(end - positions.get((group, partition), 0) for partition, end in ends.items())
        for group in GROUPS
    }


def _positions(db: Connection, topic: str) -> dict[tuple[str, int], int]:
    rows = db.execute(select(position).where(position.c.topic == topic, position.c.group_name.in_(GROUPS)))
    return {(row.group_name, row.partition): row.position for row in rows}
