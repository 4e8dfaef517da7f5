"""Dead letters: deliveries that were given up, kept with the reason until somebody retries or discards them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, bindparam, exists, func, select

from oyez.schemas.declaration import Prerequisite

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .inbox import EventId
from .tables import dead, parked


@cache
def _bury(dialect: Dialect) -> Any:
    return dialect.insert(dead).on_conflict_do_nothing()


def bury(db: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Keep dead letters. One that is kept already (an undecodable record that two groups read) stays as it is.

    A delivery that was never parked gets an id of the retry table all the same. With it, it can be put back where it
    was: behind what was parked before it died, before whatever is parked from now on.
    """
    if rows:
        db.execute(_bury(dialect_of(db)), _placed(db, rows))


def _placed(db: Connection, rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    lacking = [row["parked_id"] is None and bool(row["handler"]) for row in rows]
    row_ids = iter(_new_ids(db, sum(lacking)))
    return [
        {**row, "parked_id": next(row_ids)} if lacks else row
        for row, lacks in zip(rows, lacking, strict=True)
    ]


def _new_ids(db: Connection, count: int) -> list[int]:
    return dialect_of(db).new_ids(db, parked.c.id, count) if count else []


@cache
def _died_of(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text, signal=Text, subject=Text)
    given = rows.select().subquery("doubted")
    statement = (
        select(dead.c.handler, dead.c.key, dead.c.wait_signal, dead.c.wait_subject)
        .distinct()
        .join_from(
            given,
            dead,
            (dead.c.handler == given.c.handler)
            & (dead.c.key == given.c.key)
            & (dead.c.wait_signal == given.c.signal)
            & (dead.c.wait_subject == given.c.subject),
        )
        .where(dead.c.app == bindparam("of_app"), dead.c.ordered)
    )
    return rows, statement


def died_of(
    db: Connection, app: str, waits: Iterable[tuple[str, str, Prerequisite]]
) -> set[tuple[str, str, Prerequisite]]:
    """Which of the (handler, key, prerequisite) have a dead letter of that key that waited for that very
    prerequisite."""
    asked = sorted(
        {(handler, key, prerequisite.signal, prerequisite.subject) for handler, key, prerequisite in waits}
    )
    if not asked:
        return set()
    rows, statement = _died_of(dialect_of(db))
    found = db.execute(statement, {**rows.bind(asked), "of_app": app})
    return {(handler, key, Prerequisite(signal, subject)) for handler, key, signal, subject in found}


@cache
def _unfinished(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(source=Text, event_id=Text)
    given = rows.select().subquery("event")

    def delivery_in(table: Table) -> ColumnElement[bool]:
        return exists().where(
            table.c.app == bindparam("of_app"),
            table.c.source == given.c.source,
            table.c.event_id == given.c.event_id,
            table.c.handler.in_(bindparam("handlers", expanding=True)),
        )

    return rows, select(given).where(delivery_in(parked) | delivery_in(dead))


def unfinished(db: Connection, app: str, events: Iterable[EventId], handlers: Sequence[str]) -> set[EventId]:
    """Which of ``events`` still have a delivery of one of ``handlers`` parked or dead."""
    asked = sorted(set(events))
    if not asked or not handlers:
        return set()
    rows, statement = _unfinished(dialect_of(db))
    found = db.execute(statement, {**rows.bind(asked), "of_app": app, "handlers": list(handlers)})
    return {(source, event_id) for source, event_id in found}


@cache
def _last(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(source=Text, event_id=Text)
    given = rows.select().subquery("event")

    def deliveries_in(table: Table) -> Any:
        return (
            select(func.count())
            .select_from(table)
            .where(
                table.c.app == bindparam("of_app"),
                table.c.source == given.c.source,
                table.c.event_id == given.c.event_id,
                table.c.handler.in_(bindparam("handlers", expanding=True)),
            )
            .scalar_subquery()
        )

    return rows, select(given).where(deliveries_in(parked) + deliveries_in(dead) == 1)


def last(db: Connection, app: str, events: Iterable[EventId], handlers: Sequence[str]) -> set[EventId]:
    """Which of ``events`` have but one delivery of ``handlers`` left that is parked or dead."""
    asked = sorted(set(events))
    if not asked:
        return set()
    rows, statement = _last(dialect_of(db))
    found = db.execute(statement, {**rows.bind(asked), "of_app": app, "handlers": list(handlers)})
    return {(source, event_id) for source, event_id in found}
