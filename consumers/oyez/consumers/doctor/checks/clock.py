"""Do this machine, the database and the log agree what time it is?"""

from __future__ import annotations

from collections.abc import Sequence

from ...database.clock import DatabaseClock, moment
from ...run.clock_check import said_of
from ..check import Check, Finding, ok
from ..setup import Setup

NOTED = 5.0  # s; more than time servers leave


def of_database(setup: Setup) -> Sequence[Finding]:
    """By its clock it is decided what is due."""
    clock = DatabaseClock(wall=setup.wall)
    moment(setup.database, clock)
    limit = setup.settings.max_clock_skew
    if abs(clock.skew) > limit:
        says, _, advice = said_of(clock.skew, limit).partition("; ")
        return [Finding("wrong", f"{says}: nothing is begun", advice)]
    if abs(clock.skew) > min(NOTED, limit):
        where = "ahead of" if clock.skew > 0 else "behind"
        return [
            Finding(
                "warning",
                f"this machine's clock is {abs(clock.skew):.0f} s {where} the database's",
                "let a time server (NTP) set both",
            )
        ]
    return ok(f"this machine's is {abs(clock.skew):.1f} s from the database's")


def of_log(setup: Setup) -> Sequence[Finding]:
    """The log's own, as far as it shows, and those of announcing servers: the newest event may not be of tomorrow."""
    now = setup.wall()
    ahead = setup.inspection.clock_ahead(now)
    found = []
    if ahead is not None and ahead > NOTED:
        found.append(
            Finding(
                "warning",
                f"a broker's clock is {ahead:.0f} s ahead of this machine's, or more",
                "let a time server (NTP) set both",
            )
        )
    topics = {one.topic or setup.settings.topic for one in setup.application.signals}
    for topic in setup.inspection.topics(topics):
        if topic.newest is not None and topic.newest - now > NOTED:
            found.append(
                Finding(
                    "warning",
                    f"{topic.topic} has an event of {topic.newest - now:.0f} s from now",
                    "look at the clocks of the servers that announce, and of this one",
                )
            )
    return found or ok("no event, and no note of a broker, is of later than now")


DATABASE = Check("database's clock", ("database",), of_database)
LOG = Check("log's clock", ("log", "application"), of_log)
