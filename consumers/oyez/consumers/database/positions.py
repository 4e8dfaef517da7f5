"""Positions: the next offset that a group reads in each partition, and the epoch of the worker that owns it.

The database's position is the truth; Kafka's committed offset is a copy for lag tools. A position is keyed by
the topic's id, so that a topic that was deleted and made again is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    null,
    select,
    update,
)

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_named, dialect_of
from .dialects.rows import Rows
from .tables import position


class Partition(NamedTuple):
    """One partition of one topic; ``topic_id`` tells a re-created topic from the one before."""

    topic: str
    topic_id: str
    number: int


FOLDER = "spool-"


def is_folder(topic_id: str) -> bool:
    """Whether this is a folder of the spool, one of any number of logs of its topic."""
    return topic_id.startswith(FOLDER)


class Move(NamedTuple):
    """A partition's step from the position that its owner believes to the next, in one `Held.term` of it."""

    partition: Partition
    epoch: int
    believed: int
    next: int
    term: int = 0


@dataclass(frozen=True)
class Held:
    """What the database says of a partition.

    ``position`` and the ``epoch`` of its owner; ``acquisitions``: epochs since the position last moved; ``suspect``:
    the offset that a worker took alone and did not finish, and ``starts``: how many did so; ``again_below``: the inbox
    is ignored for offsets below; ``halted``: why the partition is not read. ``term`` is the worker's own: another
    one each time that it is given the partition. Where a group has no epochs, only that tells that it was away.
    """

    position: int
    epoch: int
    acquisitions: int = 0
    suspect: int | None = None
    starts: int = 0
    again_below: int | None = None
    halted: str | None = None
    term: int = 0


_HELD = (
    position.c.position,
    position.c.epoch,
    position.c.acquisitions,
    position.c.suspect,
    position.c.starts,
    position.c.again_below,
    position.c.halted,
)


def begin(
    db: Connection, group: str, initial: Mapping[Partition, int], now: float, halted: str | None = None
) -> None:
    """Give partitions that have no position yet their first one; ``halted`` says why they are not to be read."""
    rows = [
        {
            "group_name": group,
            "topic_id": partition.topic_id,
            "partition": partition.number,
            "topic": partition.topic,
            "position": start,
            "epoch": 0,
            "owner": "",
            "acquisitions": 0,
            "halted": halted,
            "halted_at": None if halted is None else now,
            "updated_at": now,
        }
        for partition, start in sorted(initial.items())
    ]
    if rows:
        db.execute(dialect_of(db).insert(position).on_conflict_do_nothing(), rows)


def raise_to(db: Connection, group: str, committed: Mapping[Partition, int]) -> None:
    """Move positions forward to what the group committed when it kept its offsets there."""
    for partition, offset in sorted(committed.items()):
        db.execute(
            update(position)
            .where(row_of(group, partition), position.c.position < offset)
            .values(position=offset)
        )


def acquire(db: Connection, group: str, partition: Partition, owner: str, now: float) -> Held | None:
    """Acquire a partition that has a position: a new epoch, which fences its former owner. None if it is halted."""
    statement = (
        update(position)
        .where(row_of(group, partition), position.c.halted.is_(None))
        .values(
            epoch=position.c.epoch + 1, owner=owner, acquisitions=position.c.acquisitions + 1, updated_at=now
        )
        .returning(*_HELD)
    )
    row = db.execute(statement).one_or_none()
    return None if row is None else _held(row)


def free(db: Connection, group: str, partitions: Iterable[Partition]) -> list[Partition]:
    """Those of ``partitions`` whose rows nobody has locked; now they are."""
    mine = ((p, select(position.c.epoch).where(row_of(group, p))) for p in sorted(partitions))
    return [p for p, row in mine if db.execute(unclaimed(row, position)).first() is not None]


def halt(db: Connection, group: str, partition: Partition, held: Held, reason: str, now: float) -> bool:
    """Let nobody read a partition; whether the row was as its owner believed."""
    statement = (
        update(position)
        .where(row_of(group, partition), position.c.epoch == held.epoch)
        .values(halted=reason, halted_at=now, updated_at=now)
    )
    return bool(db.execute(statement).rowcount)


def others(db: Connection, group: str, topic: str, topic_id: str) -> list[str]:
    """The ids of topics that had this topic's name before, in which the group has positions."""
    statement = (
        select(position.c.topic_id)
        .distinct()
        .where(position.c.group_name == group, position.c.topic == topic, position.c.topic_id != topic_id)
    )
    return sorted(db.execute(statement).scalars())


def logs_of(db: Connection, group: str) -> set[tuple[str, str]]:
    """The topics in which a group has positions, each with its id."""
    statement = select(position.c.topic, position.c.topic_id).where(position.c.group_name == group)
    return {(topic, topic_id) for topic, topic_id in db.execute(statement.distinct())}


def count_acquisitions(db: Connection, group: str, partitions: Iterable[Partition]) -> dict[Partition, Held]:
    """The same for a group that takes no epochs; those that are halted are left out."""
    counted = update(position).values(acquisitions=position.c.acquisitions + 1).returning(*_HELD)
    found = {}
    for partition in sorted(partitions):
        mine = and_(row_of(group, partition), position.c.halted.is_(None))
        row = db.execute(counted.where(mine)).one_or_none()
        if row is not None:
            found[partition] = _held(row)
    return found


def release(db: Connection, group: str, epochs: Mapping[Partition, int], acquisitions: int = 0) -> None:
    """Nobody died on these partitions. ``acquisitions`` is what the next one counts from."""
    for partition, epoch in sorted(epochs.items()):
        mine = and_(row_of(group, partition), position.c.epoch == epoch)
        db.execute(update(position).where(mine).values(acquisitions=acquisitions, suspect=None, starts=0))


def trouble(db: Connection, group: str, partitions: Iterable[Partition], why: str, now: float) -> None:
    """Note why these partitions, which this worker holds, do not get on."""
    for partition in sorted(partitions):
        db.execute(update(position).where(row_of(group, partition)).values(trouble=why, updated_at=now))


def row_of(group: str, partition: Partition) -> ColumnElement[bool]:
    """A partition's row."""
    return and_(
        position.c.group_name == group,
        position.c.topic_id == partition.topic_id,
        position.c.partition == partition.number,
    )


def known(db: Connection, group: str, topic_id: str) -> dict[int, Held]:
    """The positions that a group has in a topic, by partition."""
    return {number: held for (_, number), held in _rows(db, group, {topic_id}).items()}


def read(db: Connection, group: str, partitions: Iterable[Partition]) -> dict[Partition, Held]:
    """What the database says of ``partitions``; those without a row are left out."""
    asked = list(partitions)
    rows = _rows(db, group, {partition.topic_id for partition in asked}) if asked else {}
    return {p: rows[p.topic_id, p.number] for p in asked if (p.topic_id, p.number) in rows}


def _rows(db: Connection, group: str, topic_ids: Collection[str]) -> dict[tuple[str, int], Held]:
    statement = select(position.c.topic_id, position.c.partition, *_HELD).where(
        position.c.group_name == group, position.c.topic_id.in_(sorted(topic_ids))
    )
    return {(row.topic_id, row.partition): _held(row) for row in db.execute(statement)}


def _held(row: Any) -> Held:
    return Held(*(getattr(row, column.name) for column in _HELD))


@cache
def _advance(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(
        topic_id=Text, partition=Integer, epoch=BigInteger, believed=BigInteger, next=BigInteger
    )
    given = rows.select().subquery("move")
    statement = (
        update(position)
        .values(
            position=given.c.next,
            acquisitions=0,
            suspect=null(),
            starts=0,
            halted=null(),
            halted_at=null(),
            trouble=null(),
            updated_at=bindparam("now"),
        )
        .where(
            and_(
                position.c.group_name == bindparam("group"),
                position.c.topic_id == given.c.topic_id,
                position.c.partition == given.c.partition,
                position.c.epoch == given.c.epoch,
                position.c.position == given.c.believed,
            )
        )
        .returning(position.c.topic_id, position.c.partition)
    )
    return rows, statement


def advance(db: Connection, group: str, moves: Sequence[Move], now: float) -> list[Move]:
    """Move positions, in sorted order; returns the moves that did not match the row any more."""
    rows, statement = _advance(dialect_named(db.dialect.name))
    ordered = sorted((m.partition.topic_id, m.partition.number, m.epoch, m.believed, m.next) for m in moves)
    moved = set(map(tuple, db.execute(statement, {**rows.bind(ordered), "group": group, "now": now})))
    if len(moved) == len(moves):
        return []
    return [m for m in moves if (m.partition.topic_id, m.partition.number) not in moved]


_set_back = (
    update(position)
    .where(
        position.c.group_name == bindparam("group"),
        position.c.topic_id == bindparam("of_topic"),
        position.c.partition == bindparam("of_partition"),
    )
    .values(position=bindparam("next"))
)


def set_back(db: Connection, group: str, moves: Sequence[Move]) -> None:
    """Set positions, which this transaction has moved too far, to where these moves end."""
    if moves:
        db.execute(
            _set_back,
            [
                {
                    "group": group,
                    "of_topic": m.partition.topic_id,
                    "of_partition": m.partition.number,
                    "next": m.next,
                }
                for m in moves
            ],
        )
