"""Samples: how each group stood, one row a group and minute, for a day. So the table stays small, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, cast, delete, exists, func, or_, select, update

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .parked_age import oldest
from .sample_table import sample
from .tables import dead, parked

MINUTE = 60.0  # s
KEPT = 24 * 60  # minutes
GONE = (
    2 * KEPT
)  # minutes; after which anybody's samples are forgotten: its group may have no workers any more
COUNTED = 100_000
"""What is parked and dead is counted up to this number: counting a million rows each minute would be a load."""


class Share(NamedTuple):
    """What one worker adds to a group's sample: deliveries that are done, attempts that failed, and how many records
    were left of its partitions; None if that is not known."""

    handled: int
    failed: int
    lag: int | None

    @property
    def is_empty(self) -> bool:
        return not (self.handled or self.failed or self.lag)


class Bucket(NamedTuple):
    """A group's samples of some minutes in one: sums of what was ``handled`` and has ``failed``, and the highest of all
    else, over so many ``minutes`` that have a sample. ``start`` is a minute since the epoch, ``oldest_wait`` seconds;
    None: not known, or nothing waited."""

    group: str
    start: int
    minutes: int
    handled: int
    failed: int
    lag: int | None
    parked: int
    oldest_wait: float | None
    dead: int


_there = select(exists().where(sample.c.minute == bindparam("at"), sample.c.group_name == bindparam("group")))
_parked = select(func.count()).select_from(
    select(parked.c.id).where(parked.c.group_name == bindparam("group")).limit(COUNTED).subquery()
)
_ADDED = ("handled", "failed")
_add = (
    update(sample)
    .where(sample.c.minute == bindparam("at"), sample.c.group_name == bindparam("group"))
    .values(
        **{name: sample.c[name] + bindparam(f"new_{name}", type_=BigInteger) for name in _ADDED},
        lag=func.coalesce(
            sample.c.lag + bindparam("new_lag", type_=BigInteger),
            sample.c.lag,
            bindparam("new_lag", type_=BigInteger),
        ),
    )
)


def is_there(db: Connection, group: str, minute: int) -> bool:
    """Whether the group has a sample of this minute since the epoch."""
    return bool(db.execute(_there, {"at": minute, "group": group}).scalar())


def add(db: Connection, group: str, minute: int, share: Share) -> None:
    """Add to a sample that is there."""
    new = {f"new_{name}": value for name, value in share._asdict().items()}
    db.execute(_add, {"at": minute, "group": group, **new})


def put(
    db: Connection, app: str, group: str, handlers: Sequence[str], minute: int, share: Share, now: float
) -> None:
    """Write a sample of an application's group with these handlers, whose share is added where another worker was
    quicker, and forget old ones. ``now`` is in seconds since the epoch."""
    since = oldest(db, group)
    said = {
        "minute": minute,
        "group_name": group,
        **share._asdict(),
        "parked": db.execute(_parked, {"group": group}).scalar_one(),
        "oldest_wait": None if since is None else max(0.0, now - since),
        "dead": _dead(db, app, group, handlers),
    }
    db.execute(_put(dialect_of(db)), said)
    db.execute(
        _forget, {"group": group, "kept": minute - KEPT, "gone": minute - GONE, "wrong": minute + GONE}
    )


def _dead(db: Connection, app: str, group: str, handlers: Sequence[str]) -> int:
    """By the index over handlers, which are the group's; records that could not be decoded have none."""
    rows = select(dead.c.id).where(
        dead.c.app == app, dead.c.handler.in_([*handlers, ""]), dead.c.group_name == group
    )
    return int(db.execute(select(func.count()).select_from(rows.limit(COUNTED).subquery())).scalar_one())


@cache
def _put(dialect: Dialect) -> Any:
    new = dialect.insert(sample)
    added = {name: sample.c[name] + new.excluded[name] for name in _ADDED}
    lag = func.coalesce(sample.c.lag + new.excluded.lag, sample.c.lag, new.excluded.lag)
    return new.on_conflict_do_update(
        index_elements=[sample.c.minute, sample.c.group_name], set_={**added, "lag": lag}
    )


_forget = delete(sample).where(
    or_(
        (sample.c.group_name == bindparam("group")) & (sample.c.minute < bindparam("kept")),
        sample.c.minute < bindparam("gone"),
        sample.c.minute > bindparam("wrong"),  # by a clock that was wrong: it would stay for ever
    )
)


def buckets(db: Connection, since: int, until: int, step: int) -> list[Bucket]:
    """The samples of all groups from one minute since the epoch up to before another one, ``step`` minutes in each
    bucket, in their order."""
    start = (cast(sample.c.minute, BigInteger) // step * step).label("start")
    query = (
        select(
            sample.c.group_name,
            start,
            func.count(),
            func.sum(sample.c.handled),
            func.sum(sample.c.failed),
            *(func.max(sample.c[name]) for name in ("lag", "parked", "oldest_wait", "dead")),
        )
        .where(sample.c.minute >= since, sample.c.minute < until)
        .group_by(sample.c.group_name, start)
        .order_by(sample.c.group_name, start)
    )
    return [_bucket(*row) for row in db.execute(query)]


def _bucket(group: str, start: int, minutes: int, handled: Any, failed: Any, *rest: Any) -> Bucket:
    """PostgreSQL's sums of whole numbers are decimals."""
    return Bucket(group, start, minutes, int(handled), int(failed), *rest)
