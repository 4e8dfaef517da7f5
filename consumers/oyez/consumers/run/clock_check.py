"""Whether this machine's clock is near enough to the database's for work to begin."""

from __future__ import annotations

from ..database.clock import DatabaseClock, moment
from ..database.engine import Database
from ..handlers.application import StartError


class ClockWrong(StartError):
    """This machine's clock, or the database's, is wrong by more than is allowed."""


def require_clock(database: Database, limit: float) -> None:
    """Raises `ClockWrong` when the two differ by more than ``limit`` seconds, and `DatabaseAway`."""
    clock = DatabaseClock()
    moment(database, clock)
    if abs(clock.skew) > limit:
        raise ClockWrong(said_of(clock.skew, limit))


def said_of(skew: float, limit: float) -> str:
    """What is wrong, and what to do."""
    where = "ahead of" if skew > 0 else "behind"
    return (
        f"this machine's clock is {abs(skew):.0f} s {where} the database's; set the wrong one right "
        f"(OYEZ_MAX_CLOCK_SKEW allows {limit:g} s)"
    )
