"""What a worker does besides, in small steps within its sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ..database.engine import Database

STEPS = 5  # of one chore in one sweep, at most


class Chore(Protocol):
    """Something that is done in steps, again and again. ``idle`` is how many seconds it rests after its end."""

    idle: float

    def step(self, database: Database, now: float) -> bool:
        """Do the next part, in a short transaction or none; False when the end is reached."""


class Upkeep:
    """Chores, each of a few steps in a sweep, and then none for a while after its end."""

    def __init__(self, database: Database, chores: Sequence[Chore], clock: Callable[[], float]) -> None:
        self._database = database
        self._chores = chores
        self._clock = clock
        self._ended: dict[Chore, float] = {}

    def __call__(self, stop: Callable[[], bool] = lambda: False) -> None:
        """One sweep's part of it. Raises `DatabaseAway`; what was done before that stays."""
        for chore in self._chores:
            now = self._clock()
            if chore in self._ended and 0 <= now - self._ended[chore] < chore.idle:
                continue
            self._ended.pop(chore, None)
            self._steps(chore, now, stop)

    def _steps(self, chore: Chore, now: float, stop: Callable[[], bool]) -> None:
        for _ in range(STEPS):
            if stop():
                return
            if not chore.step(self._database, now):
                self._ended[chore] = now
                return
