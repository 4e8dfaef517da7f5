"""How far groups are, and which of their partitions do not get on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from ..database.tables import position
from ..handlers.application import Group
from ..logs.offsets import Ends, Offsets


class HeldUp(NamedTuple):
    """A partition that is ``halted``, or in ``trouble``: why, in one line each."""

    group: str
    topic: str
    partition: int
    halted: str | None
    trouble: str | None


def group_positions(
    db: Connection, group: Group, logs: Sequence[Ends], offsets: Offsets
) -> dict[tuple[str, int], int]:
    """The next offset that a group reads, by topic id and partition; of what it has not begun there is none."""
    if not group.is_exact:
        ids = {log.topic: log.topic_id for log in logs}
        return {
            (ids[topic], number): at for (topic, number), at in offsets.committed(group.name, logs).items()
        }
    columns = position.c.topic_id, position.c.partition, position.c.position
    query = select(*columns).where(position.c.group_name == group.name)
    return {(topic_id, number): at for topic_id, number, at in db.execute(query)}


def held_up(db: Connection, groups: Collection[str]) -> list[HeldUp]:
    """The partitions of these groups that do not get on, as their workers have noted it."""
    names = ("group_name", "topic", "partition", "halted", "trouble")
    query = (
        select(*(position.c[name] for name in names))
        .where(
            position.c.group_name.in_(groups),
            or_(position.c.halted.is_not(None), position.c.trouble.is_not(None)),
        )
        .order_by(*(position.c[name] for name in names[:3]))
    )
    return [HeldUp(*row) for row in db.execute(query)]
