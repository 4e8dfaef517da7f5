"""The members of groups that read folders of the spool, and the offsets that at-least-once groups told there.

What Kafka's broker keeps for its groups, the database keeps for these. It only deals out work: what keeps two members
from doing the same is the epoch of the position.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, select

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .positions import Partition
from .tables import member, position, told


def beat(db: Connection, group: str, name: str, now: float) -> None:
    """Note that a member lives."""
    db.execute(_beat(dialect_of(db)), {"group_name": group, "member": name, "seen_at": now})


def forget(db: Connection, group: str, before: float) -> None:
    """Remove members that were last seen before a time."""
    db.execute(delete(member).where(member.c.group_name == group, member.c.seen_at < before))


def leave(db: Connection, group: str, name: str) -> None:
    """Remove a member."""
    db.execute(delete(member).where(member.c.group_name == group, member.c.member == name))


def alive(db: Connection, group: str, since: float) -> list[str]:
    """The members that were seen since a time, sorted."""
    found = select(member.c.member).where(member.c.group_name == group, member.c.seen_at >= since)
    return sorted(db.execute(found).scalars())


def tell(db: Connection, group: str, positions: Mapping[Partition, int]) -> None:
    """Keep what a group has told."""
    rows = [
        {"group_name": group, "topic_id": p.topic_id, "partition": p.number, "position": offset}
        for p, offset in sorted(positions.items())
    ]
    if rows:
        db.execute(_tell(dialect_of(db)), rows)


def read(db: Connection, group: str, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """What a group has told, for those of ``partitions`` for which it has."""
    by_id = {(p.topic_id, p.number): p for p in partitions}
    mine = and_(told.c.group_name == bindparam("group"), told.c.topic_id.in_({i for i, _ in by_id}))
    rows = db.execute(select(told).where(mine), {"group": group})
    found = {by_id.get((row.topic_id, row.partition)): row.position for row in rows}
    return {p: position for p, position in found.items() if p is not None}


def reached(db: Connection, partition: Partition) -> dict[str, int]:
    """How far all groups have read a partition, by group: what they told, where they did."""
    return {
        row.group_name: row.position
        for table in (position, told)
        for row in db.execute(
            select(table.c.group_name, table.c.position).where(
                table.c.topic_id == partition.topic_id, table.c.partition == partition.number
            )
        )
    }


@cache
def _beat(dialect: Dialect) -> Any:
    new = dialect.insert(member)
    return new.on_conflict_do_update(
        index_elements=[member.c.group_name, member.c.member], set_={"seen_at": new.excluded.seen_at}
    )


@cache
def _tell(dialect: Dialect) -> Any:
    new = dialect.insert(told)
    return new.on_conflict_do_update(
        index_elements=[told.c.group_name, told.c.topic_id, told.c.partition],
        set_={"position": new.excluded.position},
    )
