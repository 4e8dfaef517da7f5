"""Start notes: which parked rows a worker is about to run, noted before it does.

The note is deleted in the transaction that runs them, which has it locked. One that is there and not locked is of a
worker that died in between: its rows have one more unfinished start.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

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


COUNTED = 0
"""Stands in a note for rows that are counted, or for what others run in the same process: whoever else is in it was run
together with them."""


def note(db: Connection, group: str, ids: Sequence[int], now: float, *, is_shared: bool = False) -> int:
    """Note that these rows are about to be run; returns the note's number. ``is_shared``: beside others, in a process
    with workers of other groups."""
    (number,) = note_each(db, group, [ids], now, is_shared=is_shared)
    return number


def note_each(
    db: Connection, group: str, units: Sequence[Sequence[int]], now: float, *, is_shared: bool = False
) -> Sequence[int]:
    """The same for rows that are run at the same time: a note for each of the ``units``, in their order."""
    if not units:
        return ()
    noted = [[COUNTED, *ids] if is_shared else list(ids) for ids in units]
    values = [{"group_name": group, "rows": json.dumps(ids), "started_at": now} for ids in noted]
    return db.execute(_note, values).scalars().all()


_note = insert(start).returning(start.c.id, sort_by_parameter_order=True)
_mine = select(start.c.id).where(start.c.id == bindparam("number")).with_for_update()


def hold(db: Connection, number: int) -> None:
    """Show, for as long as the transaction lasts, that the worker is alive."""
    db.execute(_mine, {"number": number})


_forget = delete(start).where(start.c.id == bindparam("number"))


def forget(db: Connection, number: int) -> None:
    """The rows have been run, or are left."""
    db.execute(_forget, {"number": number})


@cache
def _take_back(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    counted = select(parked.c.id).where(rows.holds(parked.c.id), parked.c.starts > 0)
    mine = parked.c.id.in_(unclaimed(counted, parked))
    return rows, update(parked).where(mine).values(starts=0)


def take_back(db: Connection, ids: Sequence[int]) -> None:
    """A start of these rows may have been counted, though their worker lives; there was none before. Those that
    somebody else has locked are his."""
    rows, statement = _take_back(dialect_of(db))
    db.execute(statement, rows.bind([(one,) for one in ids]))


@cache
def _forget_all(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    return rows, delete(start).where(rows.holds(start.c.id))


def forget_all(db: Connection, numbers: Sequence[int]) -> None:
    """The same for many."""
    if numbers:
        rows, statement = _forget_all(dialect_of(db))
        db.execute(statement, rows.bind([(number,) for number in numbers]))


def noted(db: Connection) -> set[int]:
    """The rows that workers run, or are about to; with those of a worker that died, until that is counted."""
    return {one for found in db.execute(_all).scalars() for one in json.loads(found)} - {COUNTED}


_all = select(start.c.rows)


@cache
def _refresh(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    free = unclaimed(select(start.c.id).where(rows.holds(start.c.id)), start)
    return rows, update(start).where(start.c.id.in_(free)).values(started_at=bindparam("now"))


def refresh(db: Connection, numbers: Sequence[int], now: float) -> None:
    """These rows are still about to be run; what is run already has its note locked, and needs none of that."""
    rows, statement = _refresh(dialect_of(db))
    db.execute(statement, {**rows.bind([(number,) for number in numbers]), "now": now})


_abandoned = unclaimed(
    select(start.c.id, start.c.rows).where(
        start.c.group_name == bindparam("group"), start.c.started_at < bindparam("before")
    ),
    start,
)


class Abandoned(NamedTuple):
    """How many rows had a start that nobody finished, and how many more have one but are locked."""

    counted: int
    locked: int


@cache
def _given(dialect: Dialect) -> tuple[Rows, Any, Any, Any]:
    rows = dialect.rows(id=BigInteger)
    there = select(parked.c.id).where(rows.holds(parked.c.id))
    count = update(parked).values(starts=parked.c.starts + 1)
    counted = count.where(rows.holds(parked.c.id), parked.c.starts < bindparam("most"))
    return rows, there, unclaimed(there, parked), counted


_keep = update(start).where(start.c.id == bindparam("number")).values(rows=bindparam("ids"))


def count_abandoned(db: Connection, group: str, together: int, now: float) -> Abandoned:
    """Count the starts that nobody finished, and delete their notes.

    Rows that were run with others get ``together`` starts at most: however often workers died on one of them, before
    anybody counted, it may be any of them. Rows that somebody else has locked, since he runs them, are not waited for:
    they stay in the note.
    """
    found = db.execute(_abandoned, {"group": group, "before": now - UNDER_WAY}).all()
    counted = locked = 0
    for number, noted in found:
        ids = json.loads(noted)
        free, others = _count(db, ids, together if len(ids) > 1 else NO_LIMIT)
        counted, locked = counted + free, locked + len(others)
        if not others:
            forget(db, number)
        elif len(others) < len(ids) - 1:
            db.execute(_keep, {"number": number, "ids": json.dumps([COUNTED, *others])})
    return Abandoned(counted, locked)


def _count(db: Connection, ids: Sequence[int], most: int) -> tuple[int, list[int]]:
    """Count a start for those of the rows that can be locked; how many, and those that cannot."""
    rows, there, unlocked, counted = _given(dialect_of(db))
    given = rows.bind([(one,) for one in ids])
    free = set(db.execute(unlocked, given).scalars())
    if free:
        db.execute(counted, {**rows.bind([(one,) for one in sorted(free)]), "most": most})
    others = set(db.execute(there, given).scalars()) - free if len(free) < len(ids) else ()
    return len(free), sorted(others)
