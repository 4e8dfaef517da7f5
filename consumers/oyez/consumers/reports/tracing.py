"""Where the traces of one event are: the inboxes, the retry table, the dead letters, and what stands in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Table, func, literal, literal_column, select, tuple_

from oyez.schemas.declaration import Prerequisite

from ..database import prerequisites
from ..database.delivery_filter import State
from ..database.journal_table import journal
from ..database.tables import dead, inbox, parked
from .deliveries import state_of
from .times import utc

MOST = 20
"""Deliveries that stand in a prerequisite's way, as many as are named."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A delivery that is parked or dead, since a time (aware, in UTC)."""

    source: str
    event_id: str
    handler: str
    state: State | Literal["dead"]
    since: datetime


@dataclass(frozen=True, slots=True)
class TracedPrerequisite:
    """A prerequisite. ``in_the_way`` are the parked and dead deliveries of events that would meet it, some of them
    if they are many. Without any, and unmet, no such event was seen, or so long ago that it is forgotten. ``groups``
    are those that would handle it.
    """

    signal: str
    subject: str
    met: bool
    in_the_way: Sequence[Trace]
    groups: Sequence[str]

    @property
    def is_unseen(self) -> bool:
        """Whether there is no sign of an event that would meet it."""
        return not self.met and not self.in_the_way


def taken(db: Connection, group: str, event_id: str, source: str | None) -> dict[str, float]:
    """When a group took an event of this id, by source; without a source, all are looked through."""
    if source is None:
        return {
            one: at for name in _sources(db, group) for one, at in taken(db, group, event_id, name).items()
        }
    query = select(inbox.c.taken_at).where(
        inbox.c.group_name == group, inbox.c.source == source, inbox.c.event_id == event_id
    )
    found = db.execute(query).scalar()
    return {} if found is None else {source: found}


def _sources(db: Connection, group: str) -> Iterable[str]:
    """The sources in a group's inbox, from one to the next by the index: they are few, the events many."""
    query = select(func.min(inbox.c.source)).where(inbox.c.group_name == group)
    source = db.execute(query).scalar()
    while source is not None:
        yield source
        source = db.execute(query.where(inbox.c.source > source)).scalar()


def kept(db: Connection, table: Table, app: str, event_id: str, source: str | None) -> list[Any]:
    """The parked or dead deliveries of an event."""
    query = select(table).where(table.c.app == app, table.c.event_id == event_id)
    if source is not None:
        query = query.where(table.c.source == source)
    return list(db.execute(query.order_by(table.c.id)))


def expired(db: Connection, app: str, event_id: str, source: str | None) -> list[Any]:
    """What the journal has of the deliveries of an event that were not run since it had expired, the newest last."""
    query = select(journal).where(
        journal.c.app == app,
        journal.c.event_id == event_id,
        journal.c.outcome == literal_column("'expired'"),  # as its index says it
    )
    if source is not None:
        query = query.where(journal.c.source == source)
    return list(db.execute(query.order_by(journal.c.id)))


def first_of_key(db: Connection, row: Any) -> Trace | None:
    """The first delivery of a parked delivery's key."""
    query = select(parked).where(
        parked.c.app == row.app, parked.c.handler == row.handler, parked.c.key == row.key, parked.c.ordered
    )
    found = db.execute(query.order_by(parked.c.rank, parked.c.id).limit(1)).first()
    return None if found is None else trace(found)


def followers(db: Connection, row: Any) -> int:
    """How many deliveries are behind a parked one in its key."""
    query = select(func.count()).where(
        parked.c.app == row.app,
        parked.c.handler == row.handler,
        parked.c.key == row.key,
        parked.c.ordered,
        tuple_(parked.c.rank, parked.c.id) > tuple_(literal(row.rank), literal(row.id)),
    )
    return int(db.execute(query).scalar_one()) if row.ordered else 0


def due_before(db: Connection, row: Any) -> int:
    """How many deliveries of a parked delivery's handler are due before it."""
    query = select(func.count()).where(
        parked.c.group_name == row.group_name,
        parked.c.handler == row.handler,
        tuple_(parked.c.due_at, parked.c.id) < tuple_(literal(row.due_at), literal(row.id)),
    )
    return int(db.execute(query).scalar_one())


def prerequisite(
    db: Connection, app: str, prerequisite: Prerequisite, completing: Sequence[str], groups: Sequence[str]
) -> TracedPrerequisite:
    """A prerequisite, with what stands in its way: deliveries of the handlers that complete its signal."""
    found = [
        row for table in (parked, dead) for row in _of_prerequisite(db, table, app, prerequisite, completing)
    ]
    met = prerequisite in prerequisites.met(db, app, [prerequisite])
    return TracedPrerequisite(
        prerequisite.signal, prerequisite.subject, met, [trace(row) for row in found[:MOST]], groups
    )


def _of_prerequisite(
    db: Connection, table: Table, app: str, prerequisite: Prerequisite, completing: Sequence[str]
) -> list[Any]:
    query = select(table).where(
        table.c.app == app,
        table.c.signal == prerequisite.signal,
        table.c.subject == prerequisite.subject,
        table.c.handler.in_(completing),
    )
    return list(db.execute(query.order_by(table.c.id).limit(MOST)))


def waiting(db: Connection, table: Table, app: str, prerequisite: Prerequisite) -> Mapping[str, int]:
    """How many deliveries of each handler wait for a prerequisite, or died of waiting for it."""
    query = select(table.c.handler, func.count().label("deliveries")).where(
        table.c.app == app,
        table.c.wait_signal == prerequisite.signal,
        table.c.wait_subject == prerequisite.subject,
    )
    return {row.handler: row.deliveries for row in db.execute(query.group_by(table.c.handler))}


def trace(row: Any) -> Trace:
    """A row of the retry table or a dead letter, in short."""
    if hasattr(row, "died_at"):
        return Trace(row.source, row.event_id, row.handler, "dead", utc(row.died_at))
    return Trace(row.source, row.event_id, row.handler, state_of(row), utc(row.parked_at))
