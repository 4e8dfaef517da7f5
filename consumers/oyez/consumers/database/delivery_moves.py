"""What is done to deliveries that were chosen: made due, deleted, put back into the retry table.

The caller has locked them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Double, Table, Text, bindparam, delete, func, select, update

from . import behind
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .due import at_once
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
    statement = delete(table).where(rows.holds(table.c.id))
    db.execute(statement, rows.bind([(number,) for number in ids]))


def make_due(db: Connection, ids: Sequence[int], now: float) -> None:
    """Make parked deliveries due, whatever they wait for."""
    rows = _ids(dialect_of(db))
    due = update(parked).values(due_at=bindparam("due"), wait_signal=None, wait_subject=None)
    statement = due.where(rows.holds(parked.c.id))
    db.execute(statement, {**rows.bind([(number,) for number in ids]), "due": at_once(now)})


def put_back(db: Connection, letters: Iterable[Any], now: float) -> list[dict[str, Any]]:
    """Park dead deliveries where they were: with the id that they had. Those without order are due; the others
    are behind whatever is before them, and `passing.place` has to be told of all. Returns their rows.

    One that is parked already stays as it is: without an inbox, an event that is read twice may fail twice.
    """
    rows = [_returned(letter, now) for letter in letters]
    delivery = (parked.c.app, parked.c.source, parked.c.event_id, parked.c.handler)
    statement = dialect_of(db).insert(parked).on_conflict_do_nothing(index_elements=delivery)
    for some in ([row for row in rows if "id" in row], [row for row in rows if "id" not in row]):
        if some:
            db.execute(statement, some)
    behind.note(db, rows)
    return rows


def _returned(letter: Any, now: float) -> dict[str, Any]:
    moment, due = (None, None) if letter.ordered else (now, at_once(now))
    fresh = {"attempts": 0, "starts": 0, "wait_signal": None, "wait_subject": None}
    row = {name: getattr(letter, name) for name in DELIVERY} | fresh | {"due_at": due, "head_since": moment}
    return row if letter.parked_id is None else row | {"id": letter.parked_id}


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
