"""A worker's part in start notes: it takes back its own, and counts those of workers that have died."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ..core.apart import ProcessKind
from ..database import start_notes
from ..database.dialects.lookup import dialect_of
from ..database.engine import DatabaseAway
from ..execution.execution import Execution


class Starts:
    """The starts of one group's rows, as one worker notes and counts them."""

    def __init__(self, execution: Execution, together: int, process: ProcessKind) -> None:
        """``together``: how many deaths beside others, of this group or in this process, are counted of a row at
        most."""
        self._process = process
        self._database = execution.database
        self._clock = execution.clock
        self._group = execution.group.name
        self._together = together
        self._left: list[int] = []
        self._losses = 0
        self._back_at = float("-inf")
        self._has_passed_over = False

    def note(self, db: Connection, ids: Sequence[int], now: float) -> int:
        """Note that these rows are about to be run; returns the note's number."""
        return start_notes.note(db, self._group, ids, now, is_shared=self._process.is_shared)

    def leave(self, number: int) -> None:
        """The database went away while the rows of this note were run, and this worker lives: the note goes at once
        if that can be written, or else when the database is back."""
        self._left.append(number)
        try:
            self._database.repeat(self._forget_briefly)
        except DatabaseAway:
            return
        self._left.clear()

    def forget_left(self, db: Connection) -> None:
        """Forget what was left."""
        for number in self._left:
            start_notes.forget(db, number)

    def count_abandoned(self) -> None:
        """Count what nobody finished. What this worker left itself goes before that, in the same transaction."""
        self._database.repeat(self._count)
        self._left.clear()

    def _count(self, db: Connection) -> None:
        now = self._clock(db)
        self.forget_left(db)
        self._count_abandoned(db, now)

    def has_counted_of_passed_over(self, db: Connection, now: float) -> bool:
        """Count what was passed over when this worker counted last, since others ran it; whether there was any. Rows
        that this transaction has locked are free for it: who is about to run a row that kills knows of each death."""
        return self._has_passed_over and self._count_abandoned(db, now) > 0

    def _count_abandoned(self, db: Connection, now: float) -> int:
        if not self._others_are_back(now):
            return 0
        found = start_notes.count_abandoned(db, self._group, self._together, now)
        self._has_passed_over = found.locked > 0
        return found.counted

    def _others_are_back(self, now: float) -> bool:
        """Whether every worker that lives had time to take its note back, since the database was away."""
        losses = self._database.losses
        if losses != self._losses:
            self._losses, self._back_at = losses, now
        return now - self._back_at >= start_notes.UNDER_WAY

    def _forget_briefly(self, db: Connection) -> None:
        dialect_of(db).be_brief(db)
        self.forget_left(db)
