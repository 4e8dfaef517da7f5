"""What a worker does besides, in small steps within its sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from ..database.clock import Clock, moment
from ..database.engine import Database

STEPS = 5  # of one task in one sweep, at most


class MaintenanceTask(Protocol):
    """Something that is done in steps, again and again. ``idle`` is how many seconds it rests after its end."""

    idle: float

    def step(self, database: Database, now: float) -> bool:
        """Do the next part, in a short transaction or none; False when the end is reached."""


class Upkeep:
    """Tasks, each of a few steps in a sweep, and then none for a while after its end."""

    def __init__(
        self,
        database: Database,
        tasks: Sequence[MaintenanceTask],
        clock: Clock,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._clock = clock
        self._timer = timer
        self._ended: dict[MaintenanceTask, float] = {}

    def __call__(self, stop: Callable[[], bool] = lambda: False) -> None:
        """One sweep's part of it. Raises `DatabaseAway`; what was done before that stays."""
        for task in self._tasks:
            if task in self._ended and self._timer() - self._ended[task] < task.idle:
                continue
            self._ended.pop(task, None)
            self._steps(task, moment(self._database, self._clock), stop)

    def _steps(self, task: MaintenanceTask, now: float, stop: Callable[[], bool]) -> None:
        for _ in range(STEPS):
            if stop():
                return
            if not task.step(self._database, now):
                self._ended[task] = self._timer()
                return
