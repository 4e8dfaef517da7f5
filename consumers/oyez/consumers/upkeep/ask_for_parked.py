"""Where the application's own tables are asked in the sweep: for what parked rows wait for."""

from __future__ import annotations

from oyez.schemas.declaration import Prerequisite

from ..database import waiting
from ..database.clock import Clock
from ..database.engine import Database
from ..execution.ask_met_by import record_answers
from ..handlers.application import Group

STEP = 1_000  # prerequisites asked for at once


class AskForParked:
    """Asks, in each sweep, for the prerequisites that the group's parked rows wait for: some at a time, on from the
    last."""

    idle = 0.0

    def __init__(self, group: Group, clock: Clock) -> None:
        self._group = group
        self._clock = clock
        self._after = Prerequisite("", "")

    def step(self, database: Database, now: float) -> bool:
        """Ask for the next ones; False at the end, after which it begins again."""
        signals = self._group.answers.signals
        if not signals:
            return False
        with database.reading() as db:
            found = waiting.waited_for(db, self._group.app, self._group.name, signals, self._after, STEP)
        record_answers(database, self._group, found, self._clock)
        self._after = found[-1] if len(found) == STEP else Prerequisite("", "")
        return bool(self._after.signal)
