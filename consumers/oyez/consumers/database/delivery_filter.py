"""Choosing deliveries: one filter for those that are parked and those that are dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Table, func, select

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .key_heads import first_of_key
from .tables import parked

State = Literal["waiting", "behind", "due"]
STATES: tuple[State, ...] = ("waiting", "behind", "due")


@dataclass(frozen=True)
class Filter:
    """Which deliveries: those that agree with all that is given.

    ``reason`` is the state of a parked delivery, and what the reason of a dead letter begins with; ``error`` is a
    part of its error. ``before`` and ``since``, in seconds since the epoch, say when it was parked or died.
    ``events`` are ids of events; ``without_error``: nothing was raised.
    """

    app: str | None = None
    group_name: str | None = None
    signal: str | None = None
    handler: str | None = None
    key: str | None = None
    source: str | None = None
    reason: str | None = None
    error: str | None = None
    before: float | None = None
    since: float | None = None
    events: tuple[str, ...] = ()
    without_error: bool = False

    def conditions(self, table: Table) -> list[ColumnElement[bool]]:
        """What is asked of a row of ``table``, which is `parked` or `dead`."""
        names = ("app", "group_name", "signal", "handler", "key", "source")
        asked = [table.c[name] == value for name in names if (value := getattr(self, name)) is not None]
        if self.reason is not None:
            asked.append(_reason(table, self.reason))
        if self.error:
            # LIKE would ignore the case on SQLite, and there is no other function that both databases have.
            asked.append(func.replace(table.c.error, self.error, "") != table.c.error)
        if self.without_error:
            asked.append(table.c.error.is_(None))
        moment = table.c.parked_at if table is parked else table.c.died_at
        if self.before is not None:
            asked.append(moment < self.before)
        if self.since is not None:
            asked.append(moment >= self.since)
        if self.events:
            asked.append(table.c.event_id.in_(self.events))
        return asked


def _reason(table: Table, reason: str) -> ColumnElement[bool]:
    if table is not parked:
        return func.substr(table.c.reason, 1, len(reason)) == reason
    is_due, is_waiting = table.c.due_at.is_not(None), table.c.wait_signal.is_not(None)
    return {"due": is_due, "waiting": ~is_due & is_waiting, "behind": ~is_due & ~is_waiting}[reason]


def chosen(db: Connection, table: Table, wanted: Filter) -> list[int]:
    """The ids of all deliveries that the filter finds, each key's in the order in which they are handled."""
    row_id = table.c.id if table is parked else table.c.parked_id
    query = select(table.c.id).where(*wanted.conditions(table))
    return list(db.execute(query.order_by(table.c.rank, row_id.nulls_last(), table.c.id)).scalars())


def ids_of(db: Connection, table: Table, app: str, handlers: Sequence[str]) -> set[int]:
    """The ids of all deliveries to some handlers; the index of keys has them."""
    query = select(table.c.id).where(table.c.app == app, table.c.handler.in_(handlers))
    return set(db.execute(query).scalars())


def count(db: Connection, table: Table, wanted: Filter, most: int) -> int:
    """How many deliveries the filter finds, as far as they are not more than ``most``: no more are looked at."""
    found = select(table.c.id).where(*wanted.conditions(table)).limit(most).subquery()
    return int(db.execute(select(func.count()).select_from(found)).scalar_one())


def read(db: Connection, table: Table, ids: Sequence[int], wanted: Filter, *names: str) -> list[Any]:
    """Columns of those of ``ids`` that the filter still finds; nothing is locked."""
    rows, query = _among(db, table, wanted, names)
    return list(db.execute(query, rows.bind([(number,) for number in ids])))


def lock(db: Connection, table: Table, ids: Sequence[int], wanted: Filter, *names: str) -> list[Any]:
    """Lock and read those of ``ids`` that the filter still finds and nobody else has locked, such as a worker that
    runs them. All columns if none is named. The caller holds the prerequisites' locks.
    """
    rows, query = _among(db, table, wanted, names)
    return list(db.execute(unclaimed(query, table), rows.bind([(number,) for number in ids])))


def heads(db: Connection, ids: Sequence[int]) -> set[int]:
    """Those of these parked deliveries that are the first of their keys."""
    rows = _ids(dialect_of(db))
    query = select(parked.c.id).where(parked.c.id.in_(rows.select()), first_of_key())
    return set(db.execute(query, rows.bind([(number,) for number in ids])).scalars())


def _among(db: Connection, table: Table, wanted: Filter, names: Sequence[str]) -> tuple[Rows, Select[Any]]:
    rows = _ids(dialect_of(db))
    columns = [table.c[name] for name in names] or list(table.c)
    asked = (table.c.id.in_(rows.select()), *wanted.conditions(table))
    return rows, select(*columns).where(*asked).order_by(table.c.id)


@cache
def _ids(dialect: Dialect) -> Rows:
    return dialect.rows(id=BigInteger)
