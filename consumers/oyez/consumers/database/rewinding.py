"""Setting positions from outside. The epoch stays: whoever owns a partition finds that its position is not what it
believed, and goes on from the row."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, and_, bindparam, delete, select, update

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .positions import FOLDER, Held, Partition, is_folder, known
from .tables import position


@cache
def _set(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(partition=Integer, next=BigInteger, again_below=BigInteger)
    given = rows.select().subquery("wanted")
    statement = (
        update(position)
        .values(
            position=given.c.next,
            again_below=given.c.again_below,
            acquisitions=0,
            suspect=None,
            starts=0,
            halted=None,
            halted_at=None,
            updated_at=bindparam("now"),
        )
        .where(
            and_(
                position.c.group_name == bindparam("of_group"),
                position.c.topic_id == bindparam("of_topic"),
                position.c.partition == given.c.partition,
            )
        )
    )
    return rows, statement


_lock = (
    select(position.c.partition)
    .where(position.c.group_name == bindparam("of_group"), position.c.topic_id == bindparam("of_topic"))
    .order_by(position.c.partition)
    .with_for_update()
)
_forget = delete(position).where(
    position.c.group_name == bindparam("of_group"),
    position.c.topic == bindparam("of_name"),
    position.c.topic_id != bindparam("of_topic"),
    position.c.topic_id.not_like(f"{FOLDER}%"),
)


def rewind(
    db: Connection, group: str, to: Mapping[Partition, int], now: float, *, is_again: bool
) -> dict[Partition, Held]:
    """Set the positions of some partitions of one topic, all of which have a row; returns what the rows said before.

    With ``is_again`` the inbox is ignored for what had been read before. What the group knew of topics that had the
    same name before is forgotten.
    """
    topic, topic_id, _ = next(iter(to))
    of = {"of_group": group, "of_topic": topic_id}
    db.execute(_lock, of).all()
    rows = known(db, group, topic_id)
    before = {partition: rows[partition.number] for partition in to}
    rows_given, statement = _set(dialect_of(db))
    wanted = [
        (partition.number, offset, _again_below(before[partition]) if is_again else None)
        for partition, offset in sorted(to.items())
    ]
    db.execute(statement, {**rows_given.bind(wanted), **of, "now": now})
    if not is_folder(topic_id):
        db.execute(_forget, {**of, "of_name": topic})
    return before


def _again_below(before: Held) -> int:
    """Below what was read; or below where an earlier rewind said so, if it was not read that far again."""
    return max(before.position, before.again_below or 0)
