"""The clock that all processes of a database share: the database's own.

What is due, too old or forgotten is decided by it alone, never by the clock of the machine that decides. It is asked
at the beginning of a transaction, unless it was asked within the last second: then a timer has counted on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from .dialects.lookup import dialect_named
from .engine import Database

Clock = Callable[[Connection], float]
"""Gives seconds since the epoch, asked on this connection."""

FRESH = 1.0  # s; for how long an answer is counted on
LEAP = 60.0  # s; more than this, that the timer knows nothing of, is a leap
SETTLED = 600.0  # s; after which a clock that has leapt is believed


def _clock_of_sleepers() -> int | None:
    """What `time.monotonic` reads stands still while the machine is suspended, on Linux and on macOS."""
    if sys.platform == "darwin":
        return time.CLOCK_MONOTONIC_RAW
    return getattr(time, "CLOCK_BOOTTIME", None)


_CLOCK = _clock_of_sleepers()


def sleep_counting() -> float:
    """Seconds since some moment; those that the machine slept are counted, if it has a clock that does. For timers that
    are compared with the time of a database: that one did not sleep."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


class Answer(NamedTuple):
    """What the database's clock said between two looks at the timer, ``asked`` and ``at``. ``held_back``: by how much
    less is believed, since it leapt at ``leapt_at``, in its own time; both are 0 for a clock that goes as it should."""

    said: float
    asked: float
    at: float
    held_back: float = 0.0
    leapt_at: float = 0.0

    @property
    def believed(self) -> float:
        return self.said - self.held_back


class DatabaseClock:
    """Asks one database for the time. Many threads may.

    A clock that leaps, back or on by more than a minute, is not believed before it has stayed there for ten: a
    mistake of its host, which is set right by then, buries nothing and forgets nothing. What went by meanwhile counts
    on from the time before.
    """

    def __init__(
        self,
        ask: Callable[[Connection], float] | None = None,
        *,
        timer: Callable[[], float] = sleep_counting,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``ask`` asks the database unless given; ``wall`` is this machine's own clock, which is only compared."""
        self._ask = ask or _ask
        self._timer = timer
        self._wall = wall
        self._last: Answer | None = None
        self._skew = 0.0

    @property
    def skew(self) -> float:
        """By how many seconds this machine's clock was ahead of the database's, when that was last asked."""
        return self._skew

    @property
    def leapt(self) -> float:
        """By how many seconds the database's clock has leapt on (or back, below 0), as long as it is not believed."""
        return 0.0 if self._last is None else self._last.held_back

    def __call__(self, db: Connection) -> float:
        """Seconds since the epoch. Raises what the database raises."""
        last, at = self._last, self._timer()
        if last is None or not 0.0 <= at - last.at < FRESH:
            return self._look(db, last).believed
        return last.believed + at - last.at

    def _look(self, db: Connection, last: Answer | None) -> Answer:
        asked, before = self._timer(), self._wall()
        said = self._ask(db)
        # A process that was frozen since the answer is late by that, for a second, and never early.
        found = Answer(said, asked, self._timer())
        self._skew = _least(before - said, self._wall() - said)
        if last is not None:
            found = _after(last, found)
        self._last = found
        return found


def _after(last: Answer, found: Answer) -> Answer:
    """What is to be believed of an answer, after another one."""
    passed, counted = found.said - last.said, max(0.0, found.at - last.asked)
    if passed < -LEAP or passed > counted + LEAP:
        held_back = last.held_back + passed - counted
        return found if abs(held_back) <= LEAP else found._replace(held_back=held_back, leapt_at=found.said)
    if not last.held_back or found.said - last.leapt_at >= SETTLED:
        return found
    return found._replace(held_back=last.held_back, leapt_at=last.leapt_at)


def _least(one: float, other: float) -> float:
    """What is nearest to 0 of what lies between these."""
    return 0.0 if one < 0.0 < other else min(one, other, key=abs)


def _ask(db: Connection) -> float:
    return dialect_named(db.dialect.name).now(db)


def moment(database: Database, clock: Clock) -> float:
    """The time, for whoever is in no transaction. Raises `DatabaseAway`."""
    with database.reading() as db:
        return clock(db)
