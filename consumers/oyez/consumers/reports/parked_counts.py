"""How much is parked of each group, and what it waits for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, func, null, select

from ..database import start_notes
from ..database.dialects.lookup import dialect_of
from ..database.due import LONG_AGO
from ..database.tables import parked
from ..handlers.application import Group
from .pauses import PauseState
from .times import utc


@dataclass(frozen=True)
class ParkedCounts:
    """Deliveries in the retry table, by what they wait for. Of those that are ``due``, a pause holds up some
    (``paused``), others wait for a free lane of their handler (``for_lane``), and others are run in one, or about to be
    (``in_lane``)."""

    waiting: int = 0
    behind: int = 0
    due: int = 0
    paused: int = 0
    for_lane: int = 0
    in_lane: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.behind + self.due


@dataclass(frozen=True)
class LaneQueue:
    """What waits for a free lane of one handler, and ``since`` when the first of it does (aware, in UTC)."""

    handler: str
    waiting: int
    since: datetime


@dataclass(frozen=True)
class Parked:
    """What is parked of one group, the oldest of it since ``oldest``, in seconds since the epoch. ``held`` says of each
    pause how much of what is due it holds up."""

    counts: ParkedCounts = ParkedCounts()
    oldest: float | None = None
    lanes: Sequence[LaneQueue] = ()
    held: Mapping[PauseState, int] = field(default_factory=dict)


class _Some(NamedTuple):
    """Rows of one handler: those of a ``key`` that is paused somewhere, or all others. ``begun`` and ``ready`` count
    those that are due now, which some lane has taken, or none; these since ``since``."""

    group: str
    handler: str
    key: str | None
    total: int
    due: int
    waiting: int
    oldest: float
    begun: int
    ready: int
    since: float | None


def parked_of(
    db: Connection, groups: Iterable[Group], pauses: Sequence[PauseState], now: float
) -> dict[str, Parked]:
    """What is parked, by group, with what was left of groups that are not among these."""
    in_lanes = {one.name for group in groups for one in group.concurrent}
    by_group: defaultdict[str, list[_Some]] = defaultdict(list)
    for some in _counted(db, [one.key for one in pauses if one.key is not None], now):
        by_group[some.group].append(some)
    return {name: _parked(found, in_lanes, pauses) for name, found in by_group.items()}


def _parked(found: Sequence[_Some], in_lanes: AbstractSet[str], pauses: Sequence[PauseState]) -> Parked:
    paused = [some for some in found if any(_holds(one, some) for one in pauses)]
    lanes = [some for some in found if some.handler in in_lanes]
    queued = [some for some in lanes if some.ready and some not in paused]
    total, due = sum(some.total for some in found), sum(some.due for some in found)
    waiting = sum(some.waiting for some in found)
    counts = ParkedCounts(
        waiting=waiting,
        behind=total - due - waiting,
        due=due,
        paused=sum(_held(some, in_lanes) for some in paused),
        for_lane=sum(some.ready for some in queued),
        in_lane=sum(some.begun for some in lanes),
    )
    held = {one: sum(_held(some, in_lanes) for some in paused if _holds(one, some)) for one in pauses}
    return Parked(counts, min(some.oldest for some in found), _queues(queued), held)


def _queues(queued: Sequence[_Some]) -> list[LaneQueue]:
    queues = []
    for handler in sorted({some.handler for some in queued}):
        ours = [some for some in queued if some.handler == handler]
        since = min(some.since for some in ours if some.since is not None)
        queues.append(LaneQueue(handler, sum(some.ready for some in ours), utc(since)))
    return queues


def _holds(one: PauseState, some: _Some) -> bool:
    return one.concerns(some.group, some.handler, some.key)


def _held(some: _Some, in_lanes: AbstractSet[str]) -> int:
    """How many are held up by a pause: what runs already is not."""
    return some.due - (some.begun if some.handler in in_lanes else 0)


def _counted(db: Connection, keys: Sequence[str], now: float) -> list[_Some]:
    dialect = dialect_of(db)
    noted = dialect.rows(id=BigInteger)
    row = select(
        *(parked.c[name] for name in ("group_name", "handler", "due_at", "wait_signal", "parked_at")),
        (case((parked.c.key.in_(keys), parked.c.key)) if keys else null()).label("key"),
        case((noted.holds(parked.c.id), 1), else_=0).label("noted"),
    ).subquery()
    is_due = row.c.due_at.is_not(None)
    is_now = row.c.due_at <= now
    since = case((row.c.due_at < 0.0, row.c.due_at + LONG_AGO), else_=row.c.due_at)
    is_ready = and_(is_now, row.c.noted == 0)
    query = select(
        row.c.group_name,
        row.c.handler,
        row.c.key,
        func.count(),
        _sum(is_due),
        _sum(and_(~is_due, row.c.wait_signal.is_not(None))),
        func.min(row.c.parked_at),
        _sum(and_(is_now, row.c.noted == 1)),
        _sum(is_ready),
        func.min(case((is_ready, since))),
    ).group_by(row.c.group_name, row.c.handler, row.c.key)
    given = noted.bind([(number,) for number in sorted(start_notes.noted(db))])
    return [_Some(*found) for found in db.execute(query, given)]


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
