"""Prerequisites: one row for each prerequisite (signal, subject) that somebody completes or waits for.

The row is the lock between the two. Whoever completes a prerequisite and whoever parks for it locks it first, so
that the later of the two sees what the earlier one did: no wake-up is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, Text, bindparam, select, update

from oyez.schemas.declaration import Prerequisite

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import ALWAYS, Rows
from .tables import prerequisite


@cache
def _met(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(signal=Text, subject=Text)
    given = rows.select().subquery("asked")
    # One look for each. Of EXISTS or of a join, PostgreSQL may make a pass over the whole table.
    met_at = (
        select(prerequisite.c.met_at)
        .where(
            prerequisite.c.app == bindparam("of_app"),
            prerequisite.c.signal == given.c.signal,
            prerequisite.c.subject == given.c.subject,
        )
        .limit(1)
        .correlate(given)
        .scalar_subquery()
    )
    return rows, select(given).where(met_at.is_not(None))


def met(db: Connection, app: str, prerequisites: Iterable[Prerequisite]) -> set[Prerequisite]:
    """Which of ``prerequisites`` are met."""
    asked = sorted(set(prerequisites))
    if not asked:
        return set()
    rows, statement = _met(dialect_of(db))
    return {
        Prerequisite(signal, subject)
        for signal, subject in db.execute(statement, {**rows.bind(asked), "of_app": app})
    }


@cache
def _lock(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(signal=Text, subject=Text)
    given = rows.select(bindparam("of_app", type_=Text), bindparam("now", type_=Double)).where(ALWAYS)
    new = dialect.insert(prerequisite).from_select(["signal", "subject", "app", "seen_at"], given)
    statement = new.on_conflict_do_update(
        index_elements=[prerequisite.c.app, prerequisite.c.signal, prerequisite.c.subject],
        set_={"seen_at": new.excluded.seen_at},
    ).returning(prerequisite.c.signal, prerequisite.c.subject, prerequisite.c.met_at)
    return rows, statement


def lock(db: Connection, app: str, prerequisites: Iterable[Prerequisite], now: float) -> set[Prerequisite]:
    """Lock ``prerequisites`` until the transaction ends, making the rows that are missing; returns those that are
    met. That they were asked for at ``now`` is kept with them: see `forgetting`.

    Sorted and without repeats: everybody locks in the same order. What depends on the answer belongs in a
    later statement, which sees what the transactions that were waited for have committed.
    """
    asked = sorted(set(prerequisites))
    if not asked:
        return set()
    rows, statement = _lock(dialect_of(db))
    found = db.execute(statement, {**rows.bind(asked), "of_app": app, "now": now})
    return {Prerequisite(signal, subject) for signal, subject, met_at in found if met_at is not None}


@cache
def _mark(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(signal=Text, subject=Text)
    statement = (
        update(prerequisite)
        .values(met_at=bindparam("now"))
        .where(
            prerequisite.c.app == bindparam("of_app"),
            rows.matches(prerequisite.c.signal, prerequisite.c.subject),
            prerequisite.c.met_at.is_(None),
        )
    )
    return rows, statement


def mark_met(db: Connection, app: str, prerequisites: Iterable[Prerequisite], now: float) -> None:
    """Record that ``prerequisites`` are met. The caller holds their locks."""
    completed = sorted(set(prerequisites))
    if completed:
        rows, statement = _mark(dialect_of(db))
        db.execute(statement, {**rows.bind(completed), "of_app": app, "now": now})
