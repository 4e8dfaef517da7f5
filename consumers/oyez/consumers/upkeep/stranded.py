"""Rows behind a head that somebody has deleted by hand: nobody has noted their keys."""

from __future__ import annotations

from ..database import stranded
from ..database.behind import promote
from ..database.engine import Database
from ..handlers.application import Group

STEP = 200  # rows at a step
IDLE = 600.0  # s; after the end, until it begins anew


class Stranded:
    """Walks through the retry table by its ids, and makes due what is behind nothing in the group."""

    idle = IDLE

    def __init__(self, group: Group) -> None:
        self._group = group
        self._after = 0

    def step(self, database: Database, now: float) -> bool:
        """Look at the next rows; False at the end, after which it begins again."""
        keys, last = database.repeat(lambda db: stranded.find(db, self._group.name, self._after, STEP))
        if keys:
            database.repeat(lambda db: promote(db, self._group.app, keys, now))
        self._after = last or 0
        return last is not None
