"""How groups went: series of their samples over the last hours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ..database.samples import KEPT, MINUTE, Bucket, buckets
from .times import utc

HOURS = KEPT / 60
POINTS = 120
"""How many points a series has at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """Some minutes from ``at`` on (aware, in UTC): ``rate`` are deliveries done in a second, ``failed`` failed attempts
    in a minute. The others are the highest of those minutes: ``lag`` as the log counts, ``oldest_wait`` in seconds."""

    at: datetime
    rate: float
    failed: float
    lag: int | None
    parked: int
    oldest_wait: float | None
    dead: int


MEASURES: Mapping[str, Callable[[Point], float | None]] = {
    "rate": lambda point: point.rate,
    "failed": lambda point: point.failed,
    "lag": lambda point: point.lag,
    "parked": lambda point: point.parked,
    "oldest_wait": lambda point: point.oldest_wait,
    "dead": lambda point: point.dead,
}
"""What a series has, by name."""


@dataclass(frozen=True, slots=True)
class Series:
    """A group's points from ``since`` on (aware, in UTC), ``step`` minutes each; None where no worker has written a
    sample."""

    group: str
    since: datetime
    step: int
    points: Sequence[Point | None]

    def values(self, measure: str) -> list[float | None]:
        """One of `MEASURES` of each point; None where it is not known."""
        read = MEASURES[measure]
        return [None if point is None else read(point) for point in self.points]


def series_of(db: Connection, now: float, hours: float, points: int = POINTS) -> list[Series]:
    """The series of each group that has samples of the last ``hours``, by name, with so many points at most. ``now`` is
    in seconds since the epoch: the minute that goes on is left out, since not all have written theirs."""
    last = int(now // MINUTE)
    minutes = max(1, round(min(hours, HOURS) * 60))
    step = math.ceil(minutes / points)
    first = (last - minutes) // step * step
    found: dict[str, dict[int, Bucket]] = {}
    for bucket in buckets(db, first, last, step):
        found.setdefault(bucket.group, {})[bucket.start] = bucket
    starts = range(first, last, step)
    return [
        Series(group, utc(first * MINUTE), step, [_point(ours.get(start)) for start in starts])
        for group, ours in found.items()
    ]


def _point(bucket: Bucket | None) -> Point | None:
    if bucket is None:
        return None
    return Point(
        at=utc(bucket.start * MINUTE),
        rate=bucket.handled / (bucket.minutes * MINUTE),
        failed=bucket.failed / bucket.minutes,
        lag=bucket.lag,
        parked=bucket.parked,
        oldest_wait=bucket.oldest_wait,
        dead=bucket.dead,
    )
