"""What is announced later: released into the outbox when it is due, in the order of its moments.

It is moved in one transaction, so that it stands in one table or the other, and never in both. Whoever releases locks
the first rows, and waits for another one who has: what that one moves is before what this one moves, in the outbox too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, or_, select

from oyez.producers.outbox import row as outbox_row

from . import personal
from .pages import by_pages
from .tables import outbox, scheduled

_due = (
    select(scheduled.c.id, scheduled.c.topic, scheduled.c.key, scheduled.c.value)
    .where(scheduled.c.due_at <= bindparam("now"))
    .order_by(scheduled.c.due_at, scheduled.c.id)
    .limit(bindparam("most"))
    .with_for_update()
)
_state = select(
    func.count().label("events"),
    func.min(scheduled.c.due_at).label("next_due"),
    func.count().filter(scheduled.c.due_at <= bindparam("now")).label("overdue"),
).select_from(scheduled)


class State(NamedTuple):
    """How many events are scheduled, when the first one is due, and how many are overdue."""

    events: int
    next_due: float | None
    overdue: int


@dataclass(frozen=True, slots=True)
class ScheduledFilter:
    """Which scheduled events: those that agree with all that is given. ``before``: due before that moment, in seconds
    since the epoch; ``within``: due in so many seconds from now; ``events``: ids."""

    signal: str | None = None
    key: str | None = None
    source: str | None = None
    before: float | None = None
    within: float | None = None
    events: tuple[str, ...] = ()

    def by(self, now: float) -> ScheduledFilter:
        """The same, with the moment that it means now."""
        return self if self.within is None else replace(self, before=now + self.within, within=None)

    def conditions(self) -> list[ColumnElement[bool]]:
        """What is asked of a row."""
        exact = {"signal": self.signal, "key": self.key, "source": self.source}
        asked: list[ColumnElement[bool]] = [
            scheduled.c[name] == value for name, value in exact.items() if value is not None
        ]
        if self.before is not None:
            asked.append(scheduled.c.due_at < self.before)
        if self.events:
            asked.append(scheduled.c.event_id.in_(self.events))
        return asked


def release(db: Connection, now: float, most: int) -> int:
    """Move what is due into the outbox, so many events at most; returns how many."""
    rows = db.execute(_due, {"now": now, "most": most}).all()
    if rows:
        moved = [outbox_row(row.topic, None, row.value, now) | {"key": row.key} for row in rows]
        db.execute(insert(outbox), moved)
        remove(db, [row.id for row in rows])
    return len(rows)


def remove(db: Connection, ids: Sequence[int]) -> int:
    """Delete rows; returns how many were there."""
    return personal.remove(db, scheduled, sorted(ids))


def state(db: Connection, now: float) -> State:
    """How much is scheduled."""
    return State(*db.execute(_state, {"now": now}).one())


def chosen(db: Connection, wanted: ScheduledFilter) -> list[int]:
    """The numbers of what the filter finds, in the order in which it is due."""
    query = select(scheduled.c.id).where(*wanted.conditions())
    return list(db.execute(query.order_by(scheduled.c.due_at, scheduled.c.id)).scalars())


def rows_of(db: Connection, wanted: ScheduledFilter, most: int | None) -> Iterator[Any]:
    """What the filter finds, in that order, without what the events say."""
    columns = [column for column in scheduled.c if column.name != "value"]
    query = select(*columns).where(*wanted.conditions()).order_by(scheduled.c.due_at, scheduled.c.id)
    return by_pages(db, query, most, lambda row: query.where(_comes_after(row)))


def _comes_after(row: Any) -> ColumnElement[bool]:
    """Whether a row comes after one. What is due before is not looked at: the first condition is for the index."""
    return and_(
        scheduled.c.due_at >= row.due_at,
        or_(scheduled.c.due_at > row.due_at, scheduled.c.id > row.id),
    )
