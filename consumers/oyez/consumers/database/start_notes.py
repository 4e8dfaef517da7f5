"""Start notes: which parked rows a worker is about to run, noted before it does.

The note is deleted in the transaction that runs them, which has it locked. One that is there and not locked is of a
worker that died in between: its rows have one more unfinished start.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, select, update

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .tables import parked, start

UNDER_WAY = 8.0
"""Seconds within which a worker that noted a start begins its transaction, or takes the note back: one that waits for
the database looks for it every 5 s."""


NO_LIMIT = 2**31 - 1
"""The largest count that the column holds."""


def note(db: Connection, group: str, ids: Sequence[int], now: float) -> int:
    """Note that these rows are about to be run; returns the note's number."""
    values = {"group_name": group, "rows": json.dumps(list(ids)), "started_at": now}
    return int(db.execute(insert(start).values(values).returning(start.c.id)).scalar_one())


_mine = select(start.c.id).where(start.c.id == bindparam("number")).with_for_update()


def hold(db: Connection, number: int) -> None:
    """Show, for as long as the transaction lasts, that the worker is alive."""
    db.execute(_mine, {"number": number})


_forget = delete(start).where(start.c.id == bindparam("number"))


def forget(db: Connection, number: int) -> None:
    """The rows have been run, or are left."""
    db.execute(_forget, {"number": number})


_abandoned = unclaimed(
    select(start.c.id, start.c.rows).where(
        start.c.group_name == bindparam("group"), start.c.started_at < bindparam("before")
    ),
    start,
)


@cache
def _count(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    counted = update(parked).values(starts=parked.c.starts + 1)
    return rows, counted.where(parked.c.id.in_(rows.select()), parked.c.starts < bindparam("most"))


def count_abandoned(db: Connection, group: str, together: int, now: float) -> int:
    """Count the starts that nobody finished, and delete their notes; returns how many there were.

    Rows that were run with others get ``together`` starts at most: however often workers died on one of them, before
    anybody counted, it may be any of them.
    """
    found = db.execute(_abandoned, {"group": group, "before": now - UNDER_WAY}).all()
    rows, statement = _count(dialect_of(db))
    for number, noted in found:
        ids = json.loads(noted)
        most = together if len(ids) > 1 else NO_LIMIT
        db.execute(statement, {**rows.bind([(one,) for one in ids]), "most": most})
        forget(db, number)
    return len(found)
