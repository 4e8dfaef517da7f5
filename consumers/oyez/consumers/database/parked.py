"""The retry table: deliveries that wait. A row's state is in its columns:

- ``waiting``: wait_signal and wait_subject are set, for that prerequisite to be met (``raised``: its handler asked);
- ``behind``: due_at is null too; it is behind an earlier row of its (handler, key);
- ``due``: due_at is set, for that time, or for at once (see `due`).

Rows of a (handler, key) are ordered by (rank, id); only the first of them, the head, may be claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ScalarSelect,
    Subquery,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    select,
    tuple_,
    update,
)

from oyez.schemas.declaration import Prerequisite

from .delivery_row import waits_of
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_named, dialect_of
from .dialects.rows import Rows
from .due import at_once
from .tables import parked

HandlerKey = tuple[str, str]
"""(handler, key): what order is kept for."""


class Head(NamedTuple):
    """The first parked row of a (handler, key): its rank, and the prerequisite it waits for."""

    rank: int
    waits: Prerequisite | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change to a parked row after it was claimed and did not finish."""

    id: int
    rank: int
    attempts: int
    due_at: float | None
    waits: Prerequisite | None
    error: str | None
    head_since: float
    raised: bool


def first_of_key(row: Table = parked) -> ColumnElement[bool]:
    """Whether no earlier row of the same (handler, key) is parked; always so for unordered rows."""
    earlier = parked.alias("earlier")
    return ~row.c.ordered | ~exists().where(
        earlier.c.app == row.c.app,
        earlier.c.handler == row.c.handler,
        earlier.c.key == row.c.key,
        earlier.c.ordered,
        tuple_(earlier.c.rank, earlier.c.id) < tuple_(row.c.rank, row.c.id),
    )


def head_of(given: Subquery) -> ScalarSelect[int]:
    """The id of the first row of each given (handler, key): one look into the index, however many are behind it."""
    first = parked.alias("first")
    return (
        select(first.c.id)
        .where(
            first.c.app == bindparam("of_app"),
            first.c.handler == given.c.handler,
            first.c.key == given.c.key,
            first.c.ordered,
        )
        .order_by(first.c.rank, first.c.id)
        .limit(1)
        .correlate(given)
        .scalar_subquery()
    )


@cache
def _heads(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text)
    given = rows.select().subquery("asked")
    statement = select(
        given.c.handler, given.c.key, parked.c.rank, parked.c.wait_signal, parked.c.wait_subject
    ).join_from(given, parked, parked.c.id == head_of(given))
    return rows, statement


def heads(db: Connection, app: str, keys: Iterable[HandlerKey]) -> dict[HandlerKey, Head]:
    """The heads of those (handler, key) that have parked rows."""
    asked = sorted(set(keys))
    if not asked:
        return {}
    rows, statement = _heads(dialect_named(db.dialect.name))
    return {
        (row.handler, row.key): Head(row.rank, waits_of(row))
        for row in db.execute(statement, {**rows.bind(asked), "of_app": app})
    }


@cache
def _park(dialect: Dialect) -> Any:
    return dialect.insert(parked).on_conflict_do_nothing()


def park(db: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Put new rows into the retry table, in order. A delivery that is there already stays as it is: an event that
    is read twice without an inbox may fail twice."""
    if rows:
        db.execute(_park(dialect_of(db)), rows)


_change = (
    update(parked)
    .where(parked.c.id == bindparam("row_id"))
    .values(
        rank=bindparam("new_rank"),
        attempts=bindparam("new_attempts"),
        due_at=bindparam("new_due_at"),
        wait_signal=bindparam("new_wait_signal"),
        wait_subject=bindparam("new_wait_subject"),
        error=bindparam("new_error"),
        head_since=bindparam("new_head_since"),
        raised=bindparam("new_raised"),
        starts=0,
    )
)


def change(db: Connection, attempts: Sequence[RowChange]) -> None:
    """Write what claimed rows wait for now."""
    if attempts:
        db.execute(
            _change,
            [
                {
                    "row_id": a.id,
                    "new_rank": a.rank,
                    "new_attempts": a.attempts,
                    "new_due_at": a.due_at,
                    "new_wait_signal": a.waits.signal if a.waits else None,
                    "new_wait_subject": a.waits.subject if a.waits else None,
                    "new_error": a.error,
                    "new_head_since": a.head_since,
                    "new_raised": a.raised,
                }
                for a in attempts
            ],
        )


@cache
def _remove(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    return rows, delete(parked).where(parked.c.id.in_(rows.select()))


def remove(db: Connection, ids: Sequence[int]) -> None:
    """Delete rows that are done or dead."""
    if ids:
        rows, statement = _remove(dialect_of(db))
        db.execute(statement, rows.bind([(number,) for number in ids]))


@cache
def _release(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(signal=Text, subject=Text)
    statement = (
        update(parked)
        .values(due_at=bindparam("due"), wait_signal=None, wait_subject=None)
        .where(
            parked.c.app == bindparam("of_app"),
            parked.c.wait_signal.is_not(None),  # said for the sake of the partial index
            rows.matches(parked.c.wait_signal, parked.c.wait_subject),
        )
        .returning(parked.c.group_name)
    )
    return rows, statement


def release(db: Connection, app: str, prerequisites: Iterable[Prerequisite], now: float) -> list[str]:
    """Make due what waits for ``prerequisites``; returns the group of each row released."""
    completed = sorted(set(prerequisites))
    if not completed:
        return []
    rows, statement = _release(dialect_of(db))
    return list(db.execute(statement, {**rows.bind(completed), "of_app": app, "due": at_once(now)}).scalars())


def _behind() -> ColumnElement[bool]:
    return and_(parked.c.due_at.is_(None), parked.c.wait_signal.is_(None))


@cache
def _promote(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text)
    given = rows.select().subquery("freed")
    statement = (
        update(parked)
        .values(due_at=bindparam("due"), head_since=bindparam("now"))
        .where(parked.c.id.in_(select(head_of(given)).select_from(given)), _behind())
    )
    return rows, statement


def promote(db: Connection, app: str, keys: Iterable[HandlerKey], now: float) -> int:
    """Make due the rows that have become the head of their (handler, key); returns how many."""
    freed = sorted(set(keys))
    if not freed:
        return 0
    rows, statement = _promote(dialect_of(db))
    return int(
        db.execute(statement, {**rows.bind(freed), "of_app": app, "due": at_once(now), "now": now}).rowcount
    )


_promote_all = (
    update(parked)
    .values(due_at=bindparam("due"), head_since=bindparam("now"))
    .where(parked.c.group_name == bindparam("group"), _behind(), first_of_key())
)


def promote_all(db: Connection, group: str, now: float) -> int:
    """The sweep's backstop: whatever is behind nothing any more becomes due; returns how many."""
    return int(db.execute(_promote_all, {"group": group, "due": at_once(now), "now": now}).rowcount)


def _rival_behind() -> ColumnElement[bool]:
    """Whether another row would do as well and waits for nothing itself. What a row waits for may be the very head
    that it would go before."""
    rival = parked.alias("rival")
    return exists().where(
        rival.c.app == parked.c.app,
        rival.c.handler == parked.c.handler,
        rival.c.key == parked.c.key,
        rival.c.signal == parked.c.signal,
        rival.c.subject == parked.c.subject,
        rival.c.wait_signal.is_(None),
    )


_forward = (
    update(parked)
    .values(rank=bindparam("new_rank"))
    .where(
        parked.c.app == bindparam("of_app"),
        parked.c.handler == bindparam("of_handler"),
        parked.c.key == bindparam("of_key"),
        parked.c.signal == bindparam("of_signal"),
        parked.c.subject == bindparam("of_subject"),
        parked.c.rank > bindparam("new_rank"),
        parked.c.wait_signal.is_(None) | ~_rival_behind(),
    )
)


def bring_forward(db: Connection, app: str, needed: Sequence[tuple[str, str, Prerequisite, int]]) -> None:
    """Move rows of a (handler, key) that would meet what their head waits for to the given rank, before it."""
    if needed:
        db.execute(
            _forward,
            [
                {
                    "of_app": app,
                    "of_handler": handler,
                    "of_key": key,
                    "of_signal": prerequisite.signal,
                    "of_subject": prerequisite.subject,
                    "new_rank": rank,
                }
                for handler, key, prerequisite, rank in needed
            ],
        )
