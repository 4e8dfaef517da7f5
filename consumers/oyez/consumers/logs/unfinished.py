"""What has not been read yet of what a log had when it began to be followed."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

Place = TypeVar("Place")


class Unfinished(Generic[Place]):
    """The places of a log that are read, with the ends that they had. What comes later does not count."""

    def __init__(self) -> None:
        self._ends: dict[Place, float] = {}

    def __bool__(self) -> bool:
        """Whether something is left."""
        return bool(self._ends)

    def begin(self, place: Place, position: int, end: float) -> None:
        """A place is read from a position on; ``end``: infinite where its end is told by itself."""
        self._ends[place] = end
        self.reach(place, position)

    def reach(self, place: Place, position: float) -> None:
        """A place has been read up to a position."""
        if position >= self._ends.get(place, math.inf):
            self._ends.pop(place, None)

    def finish(self, place: Place) -> None:
        """All has been read that a place has."""
        self.reach(place, math.inf)
