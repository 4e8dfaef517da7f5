"""Ages and times as they are written on the command line: 10m, 2h, 3d, or ISO 8601."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection

from ...database.clock import DatabaseClock
from ...database.delivery_filter import Filter
from ...database.mail_filter import MailFilter
from .errors import UsageProblem

W = TypeVar("W", Filter, MailFilter)

SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""The last second of the calendar, by UTC. West of it there are later ones, in which nothing was announced."""
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def age_of(text: str) -> float | None:
    """An age in seconds; None for a text that is none."""
    found = _AGE.fullmatch(text)
    return None if found is None else float(found[1]) * SECONDS[found[2]]


def seconds(option: str, age: str) -> float:
    """The same for the value of an option. Raises `UsageProblem`."""
    found = age_of(age)
    if found is None:
        raise UsageProblem(f"{option} {age}: write a number with s, m, h, d or w, such as 10m, 2h or 3d")
    return found


def by_database(wanted: W, db: Connection) -> W:
    """A filter whose moments were reckoned by this machine's clock, with the same ages by the database's."""
    ahead = DatabaseClock()(db) - time.time()
    before, since = wanted.before, wanted.since
    return replace(
        wanted,
        before=None if before is None else before + ahead,
        since=None if since is None else since + ahead,
    )


def due_before(option: str, text: str) -> float:
    """The moment, in seconds since the epoch, that a time of ISO 8601 (UTC, unless it says otherwise) names, for an
    option that takes an age too. Raises `UsageProblem`."""
    found = moment_of(text, 0.0)
    if found is None:
        raise UsageProblem(
            f"{option} {text}: write 10m, 2h or 3d from now, or a time such as 2026-12-24T18:00Z"
        )
    return found


def moment_of(text: str, now: float) -> float | None:
    """The moment that an age before ``now`` or a time of ISO 8601 (UTC, unless it says otherwise) names, in seconds
    since the epoch, which it is not before, nor after the end of the calendar; None for a text that is neither."""
    age = age_of(text)
    if age is not None:
        return max(0.0, now - age)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return min(END, max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
