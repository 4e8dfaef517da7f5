"""What a worker does besides, in small steps within its sweep."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from ..database.clock import Clock, moment
from ..database.engine import Database

STEPS = 5  # of one task in one sweep, at most


class MaintenanceTask(Protocol):
    """Something that is done in steps, again and again. ``idle`` is how many seconds it rests after its end."""

    idle: float

    def step(self, database: Database, now: float) -> bool:
        """Do the next part, in a short transaction or none; False when the end is reached."""


@runtime_checkable
class PacedTask(MaintenanceTask, Protocol):
    """One over a table that grows with the events, or with the deliveries of them."""

    @property
    def pace(self) -> int:
        """How many rows a step reads."""

    def grown(self, events: int, deliveries: int) -> int:
        """By how many rows the table has grown, at most, with so many events taken and deliveries settled."""


@runtime_checkable
class FinishedTask(MaintenanceTask, Protocol):
    """One that has something to do when its worker ends as it should."""

    def finish(self, database: Database, now: float) -> None:
        """Do it, in a short transaction or none."""


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
        self._paced = [task for task in tasks if isinstance(task, PacedTask)]
        self._clock = clock
        self._timer = timer
        self._ended: dict[MaintenanceTask, float] = {}

    def __call__(self, stop: Callable[[], bool] = lambda: False) -> None:
        """One sweep's part of it. Raises `DatabaseAway`; what was done before that stays."""
        for task in self._tasks:
            if not self._rests(task):
                self._steps(task, STEPS, stop)

    def keep_pace(self, events: int, deliveries: int, stop: Callable[[], bool] = lambda: False) -> None:
        """So many events were taken, and deliveries settled: go on with what grows with them, over twice as many rows.
        So whatever the rate, and however many handlers there are, what is old is found before as much has been added.
        Raises `DatabaseAway`; what was done before that stays."""
        for task in self._paced:
            if not self._rests(task):
                self._steps(task, math.ceil(2 * task.grown(events, deliveries) / task.pace), stop)

    def finish(self) -> None:
        """The worker ends as it should. Raises `DatabaseAway`."""
        for task in self._tasks:
            if isinstance(task, FinishedTask):
                task.finish(self._database, moment(self._database, self._clock))

    def _rests(self, task: MaintenanceTask) -> bool:
        return task in self._ended and self._timer() - self._ended[task] < task.idle

    def _steps(self, task: MaintenanceTask, most: int, stop: Callable[[], bool]) -> None:
        self._ended.pop(task, None)
        now = moment(self._database, self._clock)
        for _ in range(most):
            if stop():
                return
            if not task.step(self._database, now):
                self._ended[task] = self._timer()
                return
