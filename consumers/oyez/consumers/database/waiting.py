"""Rows that wait for a prerequisite: by their kinds, by how long they have waited, and by what they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Double,
    Select,
    Subquery,
    Text,
    bindparam,
    exists,
    select,
)

from oyez.schemas.declaration import Prerequisite

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .key_heads import first_of_key
from .parked_row import ParkedRow, whole_rows
from .tables import parked
from .walks import walk


class Kind(NamedTuple):
    """Rows of a handler that wait for the same signal; ``raised``: because the handler asked for it."""

    handler: str
    raised: bool
    signal: str


def _waits(row: Any, place: Any) -> list[Any]:
    return [
        row.c.group_name == bindparam("group"),
        row.c.handler == place.c.handler,
        row.c.raised == place.c.raised,
        row.c.wait_signal.is_not(None),  # said for the sake of the partial index
    ]


def _kinds(dialect: Dialect, handlers: Select[Any]) -> Subquery:
    """The kinds of these handlers' waiting rows: a look into the index for each, however many rows there are."""
    begin = handlers.add_columns(bindparam("no_signal", type_=Text).label("wait_signal"))
    return walk(dialect, parked, begin.subquery("asked"), _waits, ("wait_signal",), "kinds")


@cache
def _kinds_of(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, raised=Boolean)
    return rows, select(_kinds(dialect, rows.select()))


def kinds(db: Connection, group: str, handlers: Sequence[str]) -> list[Kind]:
    """The kinds of these handlers' waiting rows."""
    rows, statement = _kinds_of(dialect_of(db))
    asked = rows.bind([(name, raised) for name in handlers for raised in (False, True)])
    return [Kind(*row) for row in db.execute(statement, {**asked, "group": group, "no_signal": ""})]


def _of_kind(row: Any, place: Any) -> list[Any]:
    return [*_waits(row, place), row.c.wait_signal == place.c.wait_signal]


def _is_old(place: Any) -> ColumnElement[bool]:
    old: ColumnElement[bool] = place.c.head_since <= place.c.before
    return old


@cache
def _expired(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, raised=Boolean, before=Double)
    kinds = _kinds(dialect, rows.select())
    begin = (
        bindparam("begin", type_=Double).label("head_since"),
        bindparam("zero", type_=BigInteger).label("id"),
    )
    held_up = bindparam("held_up", expanding=True, type_=Text)
    places = select(kinds, *begin).where(kinds.c.wait_signal.not_in(held_up)).subquery("begin")
    old = walk(dialect, parked, places, _of_kind, ("head_since", "id"), "expired", goes_on=_is_old)
    row = parked.alias("row")  # one that was a head, and has another before it now, takes no head's place
    is_head = exists().where(row.c.id == old.c.id, first_of_key(row)).correlate(old)
    ids = select(old.c.id).where(_is_old(old), is_head).limit(bindparam("limit", type_=BigInteger))
    return rows, whole_rows().where(dialect.is_one_of(parked.c.id, ids))


def expired(
    db: Connection,
    group: str,
    limits: Sequence[tuple[str, float]],
    most: int,
    held_up: AbstractSet[str] = frozenset(),
) -> list[ParkedRow]:
    """Of handlers, each with a time: heads that have waited for their prerequisite since then or longer, those first
    that have waited longest. Not locked. Without those that wait for signals that are ``held_up``."""
    rows, statement = _expired(dialect_of(db))
    asked = rows.bind([(name, raised, before) for name, before in limits for raised in (False, True)])
    begin = {"begin": float("-inf"), "zero": 0, "no_signal": ""}
    found = db.execute(
        statement, {**asked, **begin, "group": group, "limit": most, "held_up": sorted(held_up)}
    )
    return [ParkedRow(row) for row in found]


_some_of_kind = unclaimed(
    select(parked.c.id)
    .where(
        parked.c.group_name == bindparam("group"),
        parked.c.handler == bindparam("of_handler"),
        parked.c.raised == bindparam("of_raised"),
        parked.c.wait_signal.is_not(None),
        parked.c.wait_signal == bindparam("of_signal"),
    )
    .limit(bindparam("limit", type_=BigInteger)),
    parked,
)


def lock_some(db: Connection, group: str, kind: Kind, limit: int) -> list[int]:
    """Lock rows of a kind; their ids. Without the prerequisite's lock: who holds that only makes the row due as well,
    or gives it up."""
    given = {"of_handler": kind.handler, "of_raised": kind.raised, "of_signal": kind.signal}
    return list(db.execute(_some_of_kind, {**given, "group": group, "limit": limit}).scalars())


def _of_signal(row: Any, place: Any) -> list[Any]:
    return [
        row.c.app == bindparam("of_app"),
        row.c.wait_signal.is_not(None),  # said for the sake of the partial index
        row.c.wait_signal == place.c.wait_signal,
    ]


@cache
def _waited_for(dialect: Dialect) -> Any:
    """One look for each subject and group, however many rows wait for the same."""
    names = ("wait_signal", "wait_subject", "group_name")
    begin = select(*(bindparam(f"from_{name}", type_=Text).label(name) for name in names)).subquery("begin")
    found = walk(dialect, parked, begin, _of_signal, ("wait_subject", "group_name"), "subjects")
    ours = select(found.c.wait_subject).where(found.c.group_name == bindparam("group"))
    return ours.limit(bindparam("limit", type_=BigInteger))


def waited_for(
    db: Connection, app: str, group: str, signals: Sequence[str], after: Prerequisite, limit: int
) -> list[Prerequisite]:
    """The next prerequisites of ``signals`` that parked rows of the group wait for: signal by signal, each in order."""
    statement, found = _waited_for(dialect_of(db)), list[Prerequisite]()
    for signal in sorted(set(signals)):
        if signal < after.signal or len(found) == limit:
            continue
        subject, begun = (after.subject, group) if signal == after.signal else ("", "")
        place = {"from_wait_signal": signal, "from_wait_subject": subject, "from_group_name": begun}
        given = {**place, "of_app": app, "group": group, "limit": limit - len(found)}
        found += [Prerequisite(signal, one) for one in db.execute(statement, given).scalars()]
    return found


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
        whole_rows()
        .where(rows.holds(parked.c.id), parked.c.wait_signal.is_not(None))
        .order_by(parked.c.id)
        .with_for_update(of=parked)
    )
    return rows, statement
