"""Reading tables by their primary key, a limited number of rows at a time, and deleting what is old among them.

No index is kept for that: on the inbox it would cost every batch an eighth of its insert.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Double,
    Select,
    Text,
    bindparam,
    case,
    delete,
    select,
    tuple_,
)

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .inbox import EventId
from .journal_table import journal
from .tables import dead, inbox, parked, prerequisite

_LIMIT: Any = bindparam("most", type_=BigInteger)

_inbox_after = (
    select(inbox.c.source, inbox.c.event_id, inbox.c.taken_at)
    .where(
        inbox.c.group_name == bindparam("group"),
        tuple_(inbox.c.source, inbox.c.event_id)
        > tuple_(bindparam("source", type_=Text), bindparam("event", type_=Text)),
    )
    .order_by(inbox.c.source, inbox.c.event_id)
    .limit(_LIMIT)
)


def inbox_after(db: Connection, group: str, after: EventId, most: int) -> list[Any]:
    """The next rows of a group's inbox: source, id, and when the event was taken."""
    given = {"group": group, "source": after[0], "event": after[1], "most": most}
    return list(db.execute(_inbox_after, given))


@cache
def _forget_taken(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(source=Text, event_id=Text)
    mine = inbox.c.group_name == bindparam("group")
    free = unclaimed(
        select(inbox.c.source, inbox.c.event_id).where(mine, rows.has(inbox.c.source, inbox.c.event_id)),
        inbox,
    )
    return rows, delete(inbox).where(mine, tuple_(inbox.c.source, inbox.c.event_id).in_(free))


def forget_taken(db: Connection, group: str, ids: Sequence[EventId]) -> int:
    """Delete rows of a group's inbox, those apart that another worker deletes; returns how many."""
    rows, statement = _forget_taken(dialect_of(db))
    return int(db.execute(statement, {**rows.bind(ids), "group": group}).rowcount)


_prerequisites_after = (
    select(prerequisite.c.subject, prerequisite.c.met_at, prerequisite.c.seen_at)
    .where(
        prerequisite.c.app == bindparam("of_app"),
        prerequisite.c.signal == bindparam("of_signal"),
        prerequisite.c.subject > bindparam("after", type_=Text),
    )
    .order_by(prerequisite.c.subject)
    .limit(_LIMIT)
)


def prerequisites_after(db: Connection, app: str, signal: str, after: str, most: int) -> list[Any]:
    """The next prerequisites of a signal: subject, when it was met, and when somebody last waited for or completed
    it."""
    given = {"of_app": app, "of_signal": signal, "after": after, "most": most}
    return list(db.execute(_prerequisites_after, given))


@cache
def _free_prerequisites(dialect: Dialect) -> tuple[Rows, Select[Any]]:
    rows = dialect.rows(subject=Text)
    met_before, seen_before = bindparam("met_before", type_=Double), bindparam("seen_before", type_=Double)
    old = case((prerequisite.c.met_at.is_(None), seen_before), else_=met_before)
    query = select(prerequisite.c.subject).where(
        prerequisite.c.app == bindparam("of_app"),
        prerequisite.c.signal == bindparam("of_signal"),
        prerequisite.c.subject.in_(rows.select()),
        prerequisite.c.seen_at < old,
    )
    return rows, unclaimed(query, prerequisite)


@cache
def _forget_prerequisites(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(subject=Text)
    mine = (prerequisite.c.app == bindparam("of_app"), prerequisite.c.signal == bindparam("of_signal"))
    first_waiting = (
        select(parked.c.id)
        .where(
            parked.c.app == prerequisite.c.app,
            parked.c.wait_signal.is_not(None),
            parked.c.wait_signal == prerequisite.c.signal,
            parked.c.wait_subject == prerequisite.c.subject,
        )
        .order_by(parked.c.group_name, parked.c.head_since, parked.c.id)
        .limit(1)
        .correlate(prerequisite)
        .scalar_subquery()
    )
    forgotten = (prerequisite.c.subject.in_(rows.select()), first_waiting.is_(None))
    return rows, delete(prerequisite).where(*mine, *forgotten)


def forget_prerequisites(
    db: Connection, app: str, signal: str, subjects: Sequence[str], *, met_before: float, seen_before: float
) -> int:
    """Delete prerequisites that nobody has asked to lock for so long (met ones, others), and that nobody waits for.

    Whom they wait for is asked when they are locked, in a later statement. What somebody else holds is left.
    """
    rows, query = _free_prerequisites(dialect_of(db))
    given = {"of_app": app, "of_signal": signal}
    limits = {"met_before": met_before, "seen_before": seen_before}
    asked = rows.bind([(subject,) for subject in subjects])
    free = list(db.execute(query, {**asked, **given, **limits}).scalars())
    if not free:
        return 0
    rows, statement = _forget_prerequisites(dialect_of(db))
    return int(db.execute(statement, {**rows.bind([(subject,) for subject in free]), **given}).rowcount)


_dead_after = (
    select(dead.c.id, dead.c.died_at)
    .where(dead.c.app == bindparam("of_app"), dead.c.id > bindparam("after", type_=BigInteger))
    .order_by(dead.c.id)
    .limit(_LIMIT)
)


def dead_after(db: Connection, app: str, after: int, most: int) -> list[Any]:
    """The next dead letters of an application: id, and when each died."""
    return list(db.execute(_dead_after, {"of_app": app, "after": after, "most": most}))


_journal_after = (
    select(journal.c.id, journal.c.app, journal.c.at)
    .where(journal.c.id > bindparam("after", type_=BigInteger))
    .order_by(journal.c.id)
    .limit(_LIMIT)
)


def journal_after(db: Connection, after: int, most: int) -> list[Any]:
    """The next rows of the journal: id, application, and when it was written."""
    return list(db.execute(_journal_after, {"after": after, "most": most}))


@cache
def _forget_journal(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    free = unclaimed(select(journal.c.id).where(rows.holds(journal.c.id)), journal)
    return rows, delete(journal).where(journal.c.id.in_(free))


def forget_journal(db: Connection, ids: Sequence[int]) -> int:
    """Delete rows of the journal, those apart that another worker deletes; returns how many."""
    rows, statement = _forget_journal(dialect_of(db))
    return int(db.execute(statement, rows.bind([(number,) for number in ids])).rowcount)
