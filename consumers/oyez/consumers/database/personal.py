"""What Oyez's tables have of one key or subject: found, and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, Text, delete, or_, select, update

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .inbox import EventId
from .pages import paged
from .tables import inbox, mail, misplaced, parked, pause, prerequisite

STEP = 1_000
FORGOTTEN = "(forgotten)"


@dataclass(frozen=True, slots=True)
class Person:
    """A key or a subject, in an application and its groups."""

    text: str
    app: str
    groups: tuple[str, ...]
    is_key: bool = True
    is_subject: bool = True

    def of(self, table: Table) -> ColumnElement[bool]:
        """Whether a row of a table with app, key and subject is theirs."""
        return (table.c.app == self.app) & self.announced_in(table)

    def announced_in(self, table: Table) -> ColumnElement[bool]:
        """Whether a row of a table with key and subject is theirs, whichever application it is for."""
        asked = [table.c.key == self.text] if self.is_key else []
        asked += [table.c.subject == self.text] if self.is_subject else []
        return or_(*asked)

    def has(self, envelope: object) -> bool:
        """Whether an event, as JSON has it, is theirs."""
        if not isinstance(envelope, dict):
            return False
        return (self.is_key and envelope.get("partitionkey") == self.text) or (
            self.is_subject and envelope.get("subject") == self.text
        )


def rows_of(db: Connection, table: Table, *asked: ColumnElement[bool]) -> Iterator[Any]:
    """All rows of a table of which something is true, by id."""
    return paged(db, select(table).where(*asked), table)


def mails_of(db: Connection, person: Person) -> Iterator[Any]:
    """All mails of the application: of which events they are, and to whom. No more of them is read: SQLite would go
    through a whole mail for what is stored behind it."""
    columns = (mail.c.id, mail.c.source, mail.c.event_id, mail.c.recipients)
    return paged(db, select(*columns).where(mail.c.app == person.app), mail)


def prerequisites_of(db: Connection, person: Person) -> list[Any]:
    """What is remembered of them as a subject."""
    if not person.is_subject:
        return []
    return list(db.execute(select(prerequisite).where(*_remembered(person))))


def awaited_of(db: Connection, person: Person) -> set[str]:
    """The signals for which somebody waits of them as a subject."""
    waiting = select(parked.c.wait_signal).where(
        parked.c.app == person.app, parked.c.wait_signal.is_not(None), parked.c.wait_subject == person.text
    )
    return set(db.execute(waiting.distinct()).scalars())


def forget_prerequisites(db: Connection, person: Person, kept: Sequence[str]) -> int:
    """Delete what is remembered of them as a subject, but of the signals that are to be ``kept``; returns how many."""
    if not person.is_subject:
        return 0
    statement = delete(prerequisite).where(*_remembered(person), prerequisite.c.signal.not_in(kept))
    return int(db.execute(statement).rowcount)


def _remembered(person: Person) -> tuple[ColumnElement[bool], ...]:
    return prerequisite.c.app == person.app, prerequisite.c.subject == person.text


@cache
def _by_id(dialect: Dialect, table: Table) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    return rows, delete(table).where(rows.holds(table.c.id))


def remove(db: Connection, table: Table, ids: Sequence[int]) -> int:
    """Delete rows of a table by their ids; returns how many."""
    rows, statement = _by_id(dialect_of(db), table)
    return int(db.execute(statement, rows.bind([(number,) for number in ids])).rowcount)


def inbox_of(db: Connection, person: Person, events: Sequence[EventId]) -> list[Any]:
    """When their groups took these events."""
    rows = dialect_of(db).rows(source=Text, event_id=Text)
    query = select(inbox).where(
        inbox.c.group_name.in_(person.groups), rows.matches(inbox.c.source, inbox.c.event_id)
    )
    return list(db.execute(query, rows.bind(events)))


def pauses_of(db: Connection, person: Person) -> list[Any]:
    """The pauses of their key."""
    if not person.is_key:
        return []
    return list(db.execute(select(pause).where(pause.c.app == person.app, pause.c.key == person.text)))


def forget_samples(db: Connection, person: Person) -> int:
    """Their key is the example of a source that puts keys elsewhere: another word in its place; returns how many."""
    if not person.is_key:
        return 0
    theirs = (misplaced.c.group_name.in_(person.groups), misplaced.c.key == person.text)
    return int(db.execute(update(misplaced).where(*theirs).values(key=FORGOTTEN)).rowcount)
