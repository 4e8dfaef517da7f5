"""Events that workers may have died on: each worker notes that it handles one alone, before it does."""

from __future__ import annotations

from sqlalchemy import Connection, and_, case, update

from .positions import Partition, row_of
from .tables import position


def suspect(db: Connection, group: str, partition: Partition, epoch: int, offset: int) -> int | None:
    """Note that the event at ``offset`` is about to be handled alone; returns how often it was, this time counted.
    None if the epoch is another worker's."""
    again = case((position.c.suspect == offset, position.c.starts + 1), else_=1)
    statement = (
        update(position)
        .where(row_of(group, partition), position.c.epoch == epoch)
        .values(suspect=offset, starts=again)
        .returning(position.c.starts)
    )
    starts: int | None = db.execute(statement).scalar()
    return starts


def excuse(db: Connection, group: str, partition: Partition, epoch: int, offset: int) -> None:
    """Take back that the event at ``offset`` was about to be handled alone."""
    mine = and_(row_of(group, partition), position.c.epoch == epoch, position.c.suspect == offset)
    db.execute(update(position).where(mine, position.c.starts > 0).values(starts=position.c.starts - 1))
