"""How many parked rows are claimed at once, and for how long they are run."""

from __future__ import annotations

import math
from collections.abc import Callable


class Pace:
    """No more rows than there is likely to be time for: what is claimed and not run was claimed in vain."""

    def __init__(self, least: int, batch: int) -> None:
        """``batch`` is the most; where that allows it, ``least`` are always claimed: some of each queue, so that none
        has to wait until others are empty."""
        self._least = min(least, batch)
        self._batch = batch
        self.rows = batch
        """How many the next claim may have."""

    def note(self, claimed: int, ran: int) -> None:
        """So many of a claim have run in its time. Twice as many may have the next time, and a slow spell is over
        after a few claims."""
        if ran < claimed:
            self.rows = min(self._batch, max(self._least, 2 * ran))
        else:
            self.rows = min(self._batch, 2 * self.rows)


class Slice:
    """For how long the rows of a claim are run, in seconds of ``timer``, or until ``stop()``. It begins when they have
    been claimed: where the database is slow, no time would be left to run them in."""

    def __init__(self, seconds: float, timer: Callable[[], float], stop: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._timer = timer
        self._stop = stop
        self._end = math.inf

    def begin(self) -> None:
        """The rows are claimed; again, where the transaction is repeated."""
        self._end = self._timer() + self._seconds

    def is_over(self) -> bool:
        """Whether no more is to be begun."""
        return self._stop() or self._timer() > self._end
