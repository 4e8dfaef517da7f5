"""What a worker believes of a partition, beside what the database says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.exc import DBAPIError

from ..database import positions
from ..database.clock import Clock
from ..database.engine import Database, DatabaseAway
from ..database.positions import Held, Move, Partition

ACQUISITIONS = 3  # epochs without progress, after which events are handled one at a time


def has_moved(held: Held, now: Held | None) -> bool:
    """Whether somebody else has changed a row."""
    if now is None:
        return True
    return (held.epoch, held.position, held.again_below) != (now.epoch, now.position, now.again_below) or (
        now.halted is not None
    )


def still_held(moves: Iterable[Move], held: Mapping[Partition, Held]) -> list[Move]:
    """Those of partitions that were this worker's all the time."""
    return [move for move in moves if (now := held.get(move.partition)) is not None and now.term == move.term]


def is_suspected(held: Held) -> bool:
    """Whether workers have died without getting on in a partition, as far as its row tells."""
    return held.acquisitions > ACQUISITIONS or held.suspect is not None


def was_left(held: Held) -> bool:
    """Whether the last worker that had a partition neither told of anything that it handled, nor gave it back."""
    return held.acquisitions > 1


def show_trouble(
    database: Database, group: str, held: Iterable[Partition], error: Exception, clock: Clock
) -> None:
    """Note in the rows of what a worker holds why its group does not get on, until it does."""
    try:
        with database.transaction() as db:
            positions.trouble(db, group, held, str(error), clock(db))
    except (DatabaseAway, DBAPIError):
        return  # it is said again with the next attempt
