"""The offsets that at-least-once groups have committed in folders of the spool, and how far all groups are there.

What Kafka's broker keeps for its groups, the database keeps for these. A group that turns exactly-once takes them over
into its positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Text, and_, bindparam, delete, select

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .positions import Partition
from .tables import committed, position


def write(db: Connection, group: str, positions: Mapping[Partition, int]) -> None:
    """Keep what a group has committed."""
    rows = [
        {"group_name": group, "topic_id": p.topic_id, "partition": p.number, "position": offset}
        for p, offset in sorted(positions.items())
    ]
    if rows:
        db.execute(_write(dialect_of(db)), rows)


def read(db: Connection, group: str, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """What a group has committed, for those of ``partitions`` for which it has."""
    by_id = {(p.topic_id, p.number): p for p in partitions}
    mine = and_(committed.c.group_name == bindparam("group"), committed.c.topic_id.in_({i for i, _ in by_id}))
    rows = db.execute(select(committed).where(mine), {"group": group})
    found = {by_id.get((row.topic_id, row.partition)): row.position for row in rows}
    return {p: position for p, position in found.items() if p is not None}


def take(db: Connection, group: str, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """What a group has committed in those of ``partitions``; from now on it has not. Where it has read on since then,
    nobody may take it to be there still."""
    by_id = {(p.topic_id, p.number): p for p in partitions}
    if not by_id:
        return {}
    rows, statement = _take(dialect_of(db))
    found = db.execute(statement, {**rows.bind(sorted(by_id)), "group": group})
    return {by_id[row.topic_id, row.partition]: row.position for row in found}


def reached(db: Connection, partition: Partition) -> dict[str, int]:
    """How far all groups have read a partition, by group: what they committed, where they did."""
    return {
        row.group_name: row.position
        for table in (position, committed)
        for row in db.execute(
            select(table.c.group_name, table.c.position).where(
                table.c.topic_id == partition.topic_id, table.c.partition == partition.number
            )
        )
    }


@cache
def _take(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(topic_id=Text, partition=Integer)
    taken = delete(committed).where(
        committed.c.group_name == bindparam("group"),
        rows.has(committed.c.topic_id, committed.c.partition),
    )
    return rows, taken.returning(committed.c.topic_id, committed.c.partition, committed.c.position)


@cache
def _write(dialect: Dialect) -> Any:
    new = dialect.insert(committed)
    return new.on_conflict_do_update(
        index_elements=[committed.c.group_name, committed.c.topic_id, committed.c.partition],
        set_={"position": new.excluded.position},
    )
