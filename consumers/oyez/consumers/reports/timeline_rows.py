"""The rows from which the timeline of a key is made. Each query takes the newest of them, and so many at most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, Text, select

from oyez.schemas.declaration import Prerequisite

from ..database.dialects.lookup import dialect_of
from ..database.journal_table import journal
from ..database.tables import handler, inbox, mail, outbox, parked, prerequisite, scheduled

OUTBOX = 10_000
"""Events of the outbox, the oldest ones, that are looked through: it has no index of keys."""


class Window(NamedTuple):
    """From when to when, in seconds since the epoch, and how many rows of each table."""

    since: float | None = None
    before: float | None = None
    limit: int = 1000

    def newest(self, query: Select[Any], moment: Any, number: Any) -> Select[Any]:
        """The newest rows that are in it; one more than it may have."""
        if self.since is not None:
            query = query.where(moment >= self.since)
        if self.before is not None:
            query = query.where(moment < self.before)
        return query.order_by(number.desc()).limit(self.limit + 1)


def journaled(db: Connection, app: str, key: str, window: Window) -> list[Any]:
    """What the journal has of a key."""
    query = select(journal).where(journal.c.key == key, journal.c.app == app)
    return _oldest_first(db, window.newest(query, journal.c.at, journal.c.id))


def handlers_of(db: Connection, app: str) -> set[str]:
    """The handlers that an application has had."""
    return set(db.execute(select(handler.c.handler).where(handler.c.app == app)).scalars())


def kept(db: Connection, table: Table, app: str, names: Sequence[str], key: str, window: Window) -> list[Any]:
    """The parked or dead deliveries of a key and these handlers: the index has them before the key."""
    columns = [column for column in table.c if column.name not in ("value", "headers")]
    query = select(*columns).where(table.c.app == app, table.c.handler.in_(names), table.c.key == key)
    moment = table.c.parked_at if table is parked else table.c.died_at
    return _oldest_first(db, window.newest(query, moment, table.c.id))


def values(db: Connection, table: Table, ids: Sequence[int]) -> dict[int, bytes]:
    """The events of these rows, as they arrived."""
    found = db.execute(select(table.c.id, table.c.value).where(table.c.id.in_(ids)))
    return {row.id: bytes(row.value or b"") for row in found}


def mails(db: Connection, app: str, names: Sequence[str], events: Iterable[tuple[str, str]]) -> list[Any]:
    """The mails that these handlers have queued for these events, by source and id, without what they say."""
    rows = dialect_of(db).rows(source=Text, event_id=Text)
    columns = (
        "id",
        "handler",
        "source",
        "event_id",
        "state",
        "queued_at",
        "changed_at",
        "attempts",
        "error",
    )
    query = select(*(mail.c[name] for name in columns)).where(
        mail.c.app == app, mail.c.handler.in_(names), rows.matches(mail.c.source, mail.c.event_id)
    )
    return list(db.execute(query.order_by(mail.c.id), rows.bind(sorted(set(events)))))


def taken(db: Connection, groups: Sequence[str], events: Iterable[tuple[str, str]]) -> list[Any]:
    """When groups took these events: group_name, source, event_id and taken_at."""
    rows = dialect_of(db).rows(source=Text, event_id=Text)
    query = select(inbox).where(
        inbox.c.group_name.in_(groups), rows.matches(inbox.c.source, inbox.c.event_id)
    )
    return list(db.execute(query, rows.bind(sorted(set(events)))))


def met(db: Connection, app: str, prerequisites: Iterable[Prerequisite]) -> dict[Prerequisite, float]:
    """When these were met, those that were."""
    rows = dialect_of(db).rows(signal=Text, subject=Text)
    query = select(prerequisite).where(
        prerequisite.c.app == app,
        rows.matches(prerequisite.c.signal, prerequisite.c.subject),
        prerequisite.c.met_at.is_not(None),
    )
    found = db.execute(query, rows.bind(sorted(set(prerequisites))))
    return {Prerequisite(row.signal, row.subject): row.met_at for row in found}


def announced(db: Connection, key: str, limit: int) -> list[Any]:
    """What stands in the outbox of a key."""
    first = select(outbox).order_by(outbox.c.id).limit(OUTBOX).subquery()
    return list(db.execute(select(first).where(first.c.key == key).order_by(first.c.id).limit(limit)))


def scheduled_of(db: Connection, key: str, window: Window) -> list[Any]:
    """What is to be announced of a key later, without what the events say."""
    columns = [column for column in scheduled.c if column.name != "value"]
    query = select(*columns).where(scheduled.c.key == key)
    return _oldest_first(db, window.newest(query, scheduled.c.scheduled_at, scheduled.c.id))


def _oldest_first(db: Connection, query: Select[Any]) -> list[Any]:
    return list(db.execute(query))[::-1]
