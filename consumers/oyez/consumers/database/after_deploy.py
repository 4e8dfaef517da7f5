"""Deliveries that a deploy has left behind: what waits for what is not required any more; what no handler is there
for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, Text, bindparam, select, tuple_

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .tables import parked


@cache
def _unrequired(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, signal=Text)
    query = (
        select(parked.c.id)
        .where(
            parked.c.group_name == bindparam("group"),
            parked.c.wait_signal.is_not(None),
            ~parked.c.raised,
            parked.c.handler.in_(bindparam("handlers", expanding=True)),
            tuple_(parked.c.handler, parked.c.wait_signal).not_in(rows.select()),
        )
        .order_by(parked.c.id)
        .limit(bindparam("most", type_=BigInteger))
    )
    return rows, unclaimed(query, parked)


def lock_unrequired(
    db: Connection, group: str, handlers: Sequence[str], required: Sequence[tuple[str, str]], most: int
) -> list[int]:
    """Lock rows of ``handlers`` that wait for a signal not among the ``required`` (handler, signal); their ids.

    Without the prerequisite's lock: who holds that only makes the row due as well, or gives it up.
    """
    rows, query = _unrequired(dialect_of(db))
    given = {**rows.bind(required), "group": group, "handlers": list(handlers), "most": most}
    return list(db.execute(query, given).scalars())


def deliveries_of(
    db: Connection,
    table: Table,
    app: str,
    handlers: Sequence[str],
    signals: Sequence[str],
    after: int,
    most: int,
) -> list[Any]:
    """The next deliveries of ``handlers`` with a subject, of events of ``signals``, that are parked or dead; not
    locked."""
    columns = [table.c[name] for name in ("id", "handler", "signal", "source", "event_id", "subject")]
    query = select(*columns).where(
        table.c.app == app,
        table.c.handler.in_(handlers),
        table.c.signal.in_(signals),
        table.c.subject.is_not(None),
        table.c.id > after,
    )
    return list(db.execute(query.order_by(table.c.id).limit(most)))
