"""Lists of deliveries: those in the retry table and those that were given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from ..database.clock import DatabaseClock
from ..database.delivery_filter import Filter, State
from ..database.due import due_since
from ..database.pages import ALL, Part, paged
from ..database.tables import dead, parked
from ..handlers.recorded_handlers import in_lanes, left_behind
from .holding import Holding, Lane
from .pauses import PauseState
from .times import utc


@dataclass(frozen=True, slots=True)
class ParkedDelivery:
    """A delivery in the retry table. Times are aware, in UTC; ``size`` is that of the event, in bytes.

    ``due_at`` is set in the state "due" only, ``wait_signal`` and ``wait_subject`` in "waiting". ``unregistered``: no
    process of the application has had its handler for a while; nobody will run it. ``paused`` is the pause that holds
    it up; ``lane`` says how one that is due stands with the lanes of its handler, if it has any.
    """

    id: int
    app: str
    group: str
    handler: str
    signal: str
    source: str
    event_id: str
    key: str | None
    subject: str | None
    state: State
    wait_signal: str | None
    wait_subject: str | None
    due_at: datetime | None
    parked_at: datetime
    attempts: int
    error: str | None
    size: int
    unregistered: bool = False
    paused: PauseState | None = None
    lane: Lane | None = None


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """A dead letter. Times are aware, in UTC; ``size`` is that of the event, in bytes.

    A record that could not be decoded has no handler, signal or source, but the topic, partition and offset that it
    was read from.
    """

    id: int
    app: str
    group: str
    handler: str
    signal: str
    source: str
    event_id: str
    key: str | None
    subject: str | None
    reason: str
    error: str | None
    wait_signal: str | None
    wait_subject: str | None
    attempts: int
    parked_at: datetime
    died_at: datetime
    topic: str | None
    partition: int | None
    offset: int | None
    size: int
    unregistered: bool = False


def parked_deliveries(
    db: Connection, wanted: Filter, limit: int | None = None, part: Part = ALL
) -> Iterator[ParkedDelivery]:
    """What is in the retry table, in the order of parking; or a part of that."""
    columns = [*_shared(parked), parked.c.due_at]
    query = select(*columns).where(*wanted.conditions(parked))
    left, holding = left_behind(db), Holding(db, in_lanes(db), DatabaseClock()(db))
    for row in paged(db, query, parked, limit, part):
        yield ParkedDelivery(
            **_common(row),
            unregistered=(row.app, row.handler) in left,
            state=state_of(row),
            due_at=_time(row.due_at and due_since(row.due_at)),
            paused=holding.pause(row),
            lane=holding.lane(row),
        )


def dead_deliveries(
    db: Connection, wanted: Filter, limit: int | None = None, part: Part = ALL
) -> Iterator[DeadDelivery]:
    """Dead letters, in the order in which they died; or a part of them."""
    columns = [*_shared(dead), dead.c.reason, dead.c.died_at, dead.c.topic, dead.c.partition, dead.c.position]
    query = select(*columns).where(*wanted.conditions(dead))
    left = left_behind(db)
    for row in paged(db, query, dead, limit, part):
        yield DeadDelivery(
            **_common(row),
            unregistered=(row.app, row.handler) in left,
            reason=row.reason,
            died_at=utc(row.died_at),
            topic=row.topic,
            partition=row.partition,
            offset=row.position,
        )


def _shared(table: Table) -> list[Any]:
    names = ("id", "app", "group_name", "handler", "signal", "source", "event_id", "key", "subject")
    more = ("wait_signal", "wait_subject", "attempts", "error", "parked_at")
    size = func.coalesce(func.length(table.c.value), 0).label("size")
    return [*(table.c[name] for name in names + more), size]


def _common(row: Any) -> dict[str, Any]:
    found = row._asdict()
    for only in ("due_at", "reason", "died_at", "topic", "partition", "position"):
        found.pop(only, None)
    group = found.pop("group_name")
    return {**found, "group": group, "parked_at": utc(row.parked_at)}


def state_of(row: Any) -> State:
    """The state of a row of the retry table."""
    if row.due_at is not None:
        return "due"
    return "waiting" if row.wait_signal is not None else "behind"


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else utc(seconds)
