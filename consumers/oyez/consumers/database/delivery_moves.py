"""What is done to deliveries that were chosen: made due, deleted, put back into the retry table.

The caller has locked them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Double, Table, Text, bindparam, delete, func, select, update

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .due import at_once
from .parked import HandlerKey, head_of
from .tables import dead, parked

DELIVERY = tuple(column.name for column in parked.c if column.name in dead.c and column.name != "id")
"""The columns that a parked delivery and a dead one have in common."""

KeySince = tuple[str, str, float]
"""(handler, key, seconds since the epoch)."""


@cache
def _ids(dialect: Dialect) -> Rows:
    return dialect.rows(id=BigInteger)


def discard(db: Connection, table: Table, ids: Sequence[int]) -> None:
    """Delete deliveries."""
    rows = _ids(dialect_of(db))
    statement = delete(table).where(table.c.id.in_(rows.select()))
    db.execute(statement, rows.bind([(number,) for number in ids]))


def make_due(db: Connection, ids: Sequence[int], now: float) -> None:
    """Make parked deliveries due, whatever they wait for."""
    rows = _ids(dialect_of(db))
    due = update(parked).values(due_at=bindparam("due"), wait_signal=None, wait_subject=None)
    statement = due.where(parked.c.id.in_(rows.select()))
    db.execute(statement, {**rows.bind([(number,) for number in ids]), "due": at_once(now)})


def put_back(db: Connection, letters: Iterable[Any], now: float) -> None:
    """Park dead deliveries where they were: with the id that they had. Those without order are due; the others
    are behind whatever is before them, and have to be promoted.

    One that is parked already stays as it is: without an inbox, an event that is read twice may fail twice.
    """
    rows = [_returned(letter, now) for letter in letters]
    delivery = (parked.c.app, parked.c.source, parked.c.event_id, parked.c.handler)
    statement = dialect_of(db).insert(parked).on_conflict_do_nothing(index_elements=delivery)
    for some in ([row for row in rows if "id" in row], [row for row in rows if "id" not in row]):
        if some:
            db.execute(statement, some)


def _returned(letter: Any, now: float) -> dict[str, object]:
    moment, due = (None, None) if letter.ordered else (now, at_once(now))
    fresh = {"attempts": 0, "starts": 0, "wait_signal": None, "wait_subject": None}
    row = {name: getattr(letter, name) for name in DELIVERY} | fresh | {"due_at": due, "head_since": moment}
    return row if letter.parked_id is None else row | {"id": letter.parked_id}


@cache
def _heads(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text)
    given = rows.select().subquery("asked")
    first = select(head_of(given)).select_from(given)
    return rows, select(parked.c.handler, parked.c.key).where(parked.c.id.in_(first))


def busy_keys(db: Connection, app: str, keys: Iterable[HandlerKey]) -> set[HandlerKey]:
    """Those of which somebody has claimed the head, and so the key. The heads of the others are locked."""
    asked = sorted(set(keys))
    if not asked:
        return set()
    rows, heads = _heads(dialect_of(db))
    given = {**rows.bind(asked), "of_app": app}
    free = {(handler, key) for handler, key in db.execute(unclaimed(heads, parked), given)}
    return {(handler, key) for handler, key in db.execute(heads, given)} - free


@cache
def _arrivals(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text, since=Double)
    given = rows.select().subquery("asked")
    lowest = (
        select(func.min(parked.c.rank))
        .where(
            parked.c.app == bindparam("of_app"),
            parked.c.handler == given.c.handler,
            parked.c.key == given.c.key,
            parked.c.ordered,
            parked.c.parked_at >= given.c.since,
        )
        .correlate(given)
        .scalar_subquery()
    )
    return rows, select(given, lowest)


def ranks_since(db: Connection, app: str, asked: Iterable[KeySince]) -> dict[KeySince, int]:
    """The lowest rank among the rows of each key that were parked since then, if there are any."""
    rows, statement = _arrivals(dialect_of(db))
    found = db.execute(statement, {**rows.bind(sorted(set(asked))), "of_app": app})
    return {(handler, key, since): rank for handler, key, since, rank in found if rank is not None}


_renew = (
    update(dead)
    .where(dead.c.id == bindparam("letter"))
    .values(error=bindparam("why"), died_at=bindparam("now"))
)


def die_again(db: Connection, reasons: Mapping[int, str], now: float) -> None:
    """These dead letters were tried and stay, each for this reason."""
    if reasons:
        db.execute(_renew, [{"letter": letter, "why": why, "now": now} for letter, why in reasons.items()])
