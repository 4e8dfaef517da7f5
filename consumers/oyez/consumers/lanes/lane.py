"""A lane: a place in which one unit of a handler's deliveries is run at a time, in a transaction of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..core.outcomes import TimedOut
from ..core.report import Report
from ..database.connection import HandlerConnection
from ..database.engine import ConnectionLost, Database
from ..execution.attempt import outcome_of
from ..execution.careful import LONE_DEATHS
from ..execution.execution import Execution
from ..execution.reader import Reader
from ..retry.retrying import ALONE
from .claim import AbandonedClaim, HandedClaim, LaneClaim
from .unit import Unit

ABANDONED = float("inf")
AGAIN = (0.01, 0.03, 0.1, 0.3, 1.0, 1.0)
"""Seconds between tries to lock a row whose lane was abandoned."""


class Ran(NamedTuple):
    """How a unit has ended: whether all of it is done, or else which rows of it there was only no time for, if it was
    nothing else."""

    is_done: bool = False
    left: Sequence[int] = ()


def _cut(ids: Sequence[int], report: Report) -> Ran:
    """After a transaction that has not ended all of these: if whatever it had claimed is done or has expired, the rest
    may be run again."""
    ended = report.done + report.expired
    if not ended or ended < len(report.claimed):
        return Ran()
    claimed = set(report.claimed)
    return Ran(left=[one for one in ids if one not in claimed])


class LaneDatabase(Database):
    """The database as one lane has it: whoever watches the lane can end the connection that it uses."""

    driver: Any = None
    """The driver's connection of the transaction that is under way."""

    @contextmanager
    def handling(self) -> Iterator[HandlerConnection]:
        with super().handling() as db:
            self.driver = db.connection.dbapi_connection
            self._refuse()
            try:
                yield db
                self._refuse()
            finally:
                self.driver = None

    def _refuse(self) -> None:
        """Nothing of a lane that was given up is committed, also where its connection could not be ended."""
        if self.gives_up():
            raise ConnectionLost("the lane was given up: its handler took longer than its timeout")

    def abort(self) -> None:
        """End what is under way: whoever waits for an answer gets an error."""
        if self.driver is not None:
            self.dialect.abort(self.driver)


class Lane:
    """Runs units, one after another; it belongs to one thread or task at a time."""

    def __init__(
        self,
        make: Callable[[Database], Execution],
        database: Callable[[Callable[[], float]], LaneDatabase],
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``make`` makes the execution over a database, and ``database`` one that gives up when it is told to."""
        self._is_abandoned = False
        self._database = database(self._stopping)
        self._execution = make(self._database)
        self._reader = Reader(self._execution.group)
        self._timer = timer
        self._sleep = sleep
        self.began: float | None = None
        """When the handler was called that is under way, by the timer; None if none is."""
        self.row: int | None = None
        """The id of the row that it was called for; None if it was for several."""

    def run(
        self, unit: Unit, done: Callable[[Report], None], is_over: Callable[[], bool], size: Callable[[], int]
    ) -> Ran:
        """Run a unit; ``done`` is told of each of its transactions, which may have ``size`` rows. The rows of a key end
        with the first that is not done, or when it ``is_over``: those that follow are as they were. Raises
        `DatabaseAway`."""
        at = 0
        for ids in unit.parts(size):
            if is_over():
                return Ran()
            report = self._run(unit, ids)
            done(report)
            if report.done + report.expired < len(ids):
                return _cut(unit.ids[at:], report)
            at += len(ids)
        return Ran(is_done=True)

    def _run(self, unit: Unit, ids: Sequence[int]) -> Report:
        claim = self._claim(unit, ids)
        try:
            if unit.unfinished >= ALONE + LONE_DEATHS:
                return self._execution.bury(claim)
            if len(ids) == 1:
                return self._execution.handle_alone(claim)
            return self._execution.handle(claim)
        finally:
            self.row = self.began = None

    def time_out(self, unit: Unit, row: int, seconds: float) -> Report:
        """Write down that another lane, which was abandoned, took too long for a row of a unit. The server may need a
        moment to see that its connection is gone; if it had been done just before, there is nothing to write."""
        failed = outcome_of(TimedOut(seconds))
        claim = AbandonedClaim(self._execution.group, self._reader, unit, [row], lambda: None)
        report = self._execution.say(claim, failed)
        for pause in AGAIN:
            if report.claimed:
                break
            self._sleep(pause)
            report = self._execution.say(claim, failed)
        return report

    def abandon(self) -> None:
        """Nobody waits for this lane any more: its connection is ended, so that what it had begun is undone."""
        self._is_abandoned = True
        self._database.abort()

    def _claim(self, unit: Unit, ids: Sequence[int]) -> LaneClaim:
        def begin() -> None:
            self.row = ids[0] if len(ids) == 1 else None
            self.began = self._timer()

        kind = HandedClaim if unit.fresh else LaneClaim
        return kind(self._execution.group, self._reader, unit, ids, begin, self._spent)

    def _spent(self) -> float:
        return 0.0 if self.began is None else self._timer() - self.began

    def _stopping(self) -> float:
        return ABANDONED if self._is_abandoned else 0.0
