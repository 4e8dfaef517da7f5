"""The retry table: deliveries that wait. A row's state is in its columns:

- ``waiting``: wait_signal and wait_subject are set, for that prerequisite to be met (``raised``: its handler asked);
- ``behind``: due_at is null too; it is behind an earlier row of its (handler, key);
- ``due``: due_at is set, for that time, or for at once (see `due`).

Rows of a (handler, key) are ordered by (rank, id); only the first of them, the head, may be claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, delete, exists, update

from oyez.schemas.declaration import Prerequisite

from . import behind
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .tables import parked


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
    first_attempt: str | None


def park(db: Connection, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Put new rows into the retry table, in order. A delivery that is there already stays as it is: an event that
    is read twice without an inbox may fail twice. Returns the ids of the rows as `Dialect.put` does."""
    if not rows:
        return ()
    ids = dialect_of(db).put(db, parked, rows)
    behind.note(db, rows)
    return ids


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
        first_attempt=bindparam("new_first_attempt"),
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
                    "new_first_attempt": a.first_attempt,
                }
                for a in attempts
            ],
        )


@cache
def _remove(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    return rows, delete(parked).where(rows.holds(parked.c.id))


def remove(db: Connection, ids: Sequence[int]) -> None:
    """Delete rows that are done or dead."""
    if ids:
        rows, statement = _remove(dialect_of(db))
        db.execute(statement, rows.bind([(number,) for number in ids]))


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
