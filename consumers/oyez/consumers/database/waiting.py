"""Rows that wait for a prerequisite: by their kinds, by how long they have waited, and by what they wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, Connection, Text, bindparam, select, tuple_

from oyez.schemas.declaration import Prerequisite

from .claims import ParkedRow, unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .key_heads import first_of_key
from .tables import parked

_LIMIT: Any = bindparam("limit", type_=BigInteger)


class Kind(NamedTuple):
    """Rows of a handler that wait for the same signal; ``raised``: because the handler asked for it. ``since`` is when
    the first of them became the head of its key."""

    handler: str
    raised: bool
    signal: str
    since: float


_kind = (parked.c.handler, parked.c.raised, parked.c.wait_signal)
_first_of_kind = (
    select(*_kind, parked.c.head_since)
    .where(
        parked.c.group_name == bindparam("group"),
        parked.c.wait_signal.is_not(None),
        tuple_(*_kind)
        > tuple_(
            bindparam("of_handler", type_=Text),
            bindparam("of_raised", type_=Boolean),
            bindparam("of_signal", type_=Text),
        ),
    )
    .order_by(*_kind, parked.c.head_since)
    .limit(1)
)


def kinds(db: Connection, group: str) -> Iterator[Kind]:
    """The kinds of a group's waiting rows: a look into the index for each, however many rows there are."""
    after = Kind("", False, "", 0.0)
    while (row := db.execute(_first_of_kind, _given(group, after)).first()) is not None:
        after = Kind(*row)
        yield after


def _given(group: str, kind: Kind) -> dict[str, Any]:
    return {
        "group": group,
        "of_handler": kind.handler,
        "of_raised": kind.raised,
        "of_signal": kind.signal,
    }


_of_kind = (
    parked.c.group_name == bindparam("group"),
    parked.c.handler == bindparam("of_handler"),
    parked.c.raised == bindparam("of_raised"),
    parked.c.wait_signal.is_not(None),
    parked.c.wait_signal == bindparam("of_signal"),
)
_expired = (
    select(parked)
    .where(*_of_kind, parked.c.head_since <= bindparam("before"), first_of_key())
    .order_by(parked.c.head_since)
    .limit(_LIMIT)
)


def expired(db: Connection, group: str, kind: Kind, before: float, limit: int) -> list[ParkedRow]:
    """Heads of a kind that have waited for their prerequisite since ``before`` or longer; not locked."""
    given = {**_given(group, kind), "before": before, "limit": limit}
    return [ParkedRow(row) for row in db.execute(_expired, given)]


_some_of_kind = unclaimed(select(parked.c.id).where(*_of_kind).limit(_LIMIT), parked)


def lock_some(db: Connection, group: str, kind: Kind, limit: int) -> list[int]:
    """Lock rows of a kind; their ids. Without the prerequisite's lock: who holds that only makes the row due as well,
    or gives it up."""
    return list(db.execute(_some_of_kind, {**_given(group, kind), "limit": limit}).scalars())


def waited_for(
    db: Connection, app: str, group: str, signals: Sequence[str], after: Prerequisite, limit: int
) -> list[Prerequisite]:
    """The next prerequisites of ``signals`` that parked rows of the group wait for, in order."""
    prerequisite = (parked.c.wait_signal, parked.c.wait_subject)
    query = (
        select(*prerequisite)
        .distinct()
        .where(
            parked.c.app == app,
            parked.c.group_name == group,
            parked.c.wait_signal.is_not(None),
            parked.c.wait_signal.in_(signals),
            tuple_(*prerequisite) > tuple_(*after),
        )
        .order_by(*prerequisite)
        .limit(limit)
    )
    return [Prerequisite(*row) for row in db.execute(query)]


def lock_waiting(db: Connection, ids: Sequence[int]) -> list[ParkedRow]:
    """Lock those of the rows that still wait for a prerequisite; the caller holds the prerequisites' locks."""
    if not ids:
        return []
    rows, statement = _waiting(dialect_of(db))
    return [ParkedRow(row) for row in db.execute(statement, rows.bind([(number,) for number in sorted(ids)]))]


@cache
def _waiting(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    statement = (
        select(parked)
        .where(parked.c.id.in_(rows.select()), parked.c.wait_signal.is_not(None))
        .order_by(parked.c.id)
        .with_for_update(of=parked)
    )
    return rows, statement
