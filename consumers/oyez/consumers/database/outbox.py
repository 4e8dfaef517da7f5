"""The outbox as whoever relays it sees it: rows in order, and who relays them at the moment.

Rows are deleted by their numbers, never by a range: a transaction that began earlier may commit later, with
lower numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .message_type import MOST
from .tables import outbox, relay_lease, scheduled

NAME = "outbox"

_waits = outbox.c.refused.is_(None)
_next_due = select(func.min(scheduled.c.due_at)).scalar_subquery()
_noted = exists().where(relay_lease.c.name == NAME, relay_lease.c.error.is_not(None))
_look = select(exists().where(_waits).label("waits"), _next_due.label("next_due"), _noted.label("noted"))
_state = select(
    func.count().filter(_waits).label("backlog"),
    func.min(outbox.c.announced_at).filter(_waits).label("oldest"),
    func.count(outbox.c.refused).label("refused"),
).select_from(outbox)
_refuse = update(outbox).where(outbox.c.id == bindparam("number")).values(refused=bindparam("why"))


class Waiting(NamedTuple):
    """One event in the outbox."""

    id: int
    topic: str
    key: str | None
    value: bytes


class Outbox(NamedTuple):
    """How much waits in the outbox: events, and the time of the oldest; how many were refused and do not wait any more;
    what is in the way, if something is; who relays it."""

    backlog: int
    oldest: float | None
    refused: int
    error: str | None
    failed_at: float | None
    owner: str | None


@cache
def _next(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    waiting = select(outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.value)
    mine = _waits, outbox.c.id.not_in(rows.select())
    return rows, waiting.where(*mine).order_by(outbox.c.id).limit(bindparam("most"))


def next_page(db: Connection, stayed: Collection[int], limit: int) -> list[Waiting]:
    """The first events, without those that ``stayed``, by their numbers.

    Always from the beginning, in one statement: what committed late has a lower number than what was read before, and a
    higher one of its key must not be seen without it.
    """
    rows, statement = _next(dialect_of(db))
    given = rows.bind([(number,) for number in sorted(stayed)])
    return [Waiting(*row) for row in db.execute(statement, {**given, "most": limit})]


class Look(NamedTuple):
    """Whether anything waits, of what was not refused; when the first scheduled event is due; and whether it is written
    down that something is in the way."""

    waits: bool
    next_due: float | None
    noted: bool


@cache
def _look_beside(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    waits = exists().where(_waits, outbox.c.id.not_in(rows.select()))
    return rows, select(waits.label("waits"), _next_due.label("next_due"), _noted.label("noted"))


def look(db: Connection, left: Collection[int] = ()) -> Look:
    """What there is for whoever relays, without the rows that are ``left`` to others, by their numbers."""
    if left:
        rows, statement = _look_beside(dialect_of(db))
        found = db.execute(statement, rows.bind([(number,) for number in sorted(left)]))
    else:
        found = db.execute(_look)
    waits, next_due, noted = found.one()
    return Look(bool(waits), next_due, bool(noted))


@cache
def _there(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    return rows, select(outbox.c.id).where(rows.holds(outbox.c.id))


def there_of(db: Connection, ids: Collection[int]) -> list[int]:
    """Which of these numbers are still in the outbox."""
    rows, statement = _there(dialect_of(db))
    return list(db.execute(statement, rows.bind([(number,) for number in sorted(ids)])).scalars())


def state(db: Connection) -> Outbox:
    """What waits, and why."""
    backlog, oldest, refused = db.execute(_state).one()
    row = db.execute(select(relay_lease).where(relay_lease.c.name == NAME)).one_or_none()
    if row is None:
        return Outbox(backlog, oldest, refused, None, None, None)
    return Outbox(backlog, oldest, refused, row.error, row.failed_at, row.owner)


@cache
def _remove(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    return rows, delete(outbox).where(rows.matches(outbox.c.id))


def remove(db: Connection, ids: Sequence[int]) -> None:
    """Delete rows that have arrived. Sorted, so that two that delete the same ones wait for one another."""
    if ids:
        rows, statement = _remove(dialect_of(db))
        db.execute(statement, rows.bind([(number,) for number in sorted(ids)]))


def refuse(db: Connection, reasons: Mapping[int, str]) -> None:
    """Quarantine rows: they will never be taken. They stay, with the reason, until somebody wants to try again."""
    if reasons:
        rows = [{"number": number, "why": reason[:MOST]} for number, reason in sorted(reasons.items())]
        db.execute(_refuse, rows)


def refused_upto(db: Connection) -> int:
    """The number of the newest row that is quarantined; 0 if there is none."""
    return db.execute(select(func.max(outbox.c.id)).where(outbox.c.refused.is_not(None))).scalar() or 0


def try_again(db: Connection, upto: int | None = None, most: int | None = None) -> int:
    """Let rows that were quarantined wait again, those with numbers up to one, so many of them at most; returns how
    many."""
    numbers = select(outbox.c.id).where(outbox.c.refused.is_not(None)).order_by(outbox.c.id)
    if upto is not None:
        numbers = numbers.where(outbox.c.id <= upto)
    chosen = numbers.limit(most).subquery()
    again = update(outbox).where(outbox.c.id.in_(select(chosen.c.id)), outbox.c.refused.is_not(None))
    return int(db.execute(again.values(refused=None)).rowcount)


_free = or_(
    relay_lease.c.owner.is_(None),
    relay_lease.c.owner == bindparam("me"),
    relay_lease.c.until <= bindparam("now"),
    relay_lease.c.until > bindparam("until"),  # by a clock that is wrong: it would never be free again
)
_other = select(exists().where(relay_lease.c.name == NAME, not_(_free)))


def is_taken(db: Connection, owner: str, now: float, until: float) -> bool:
    """Whether somebody else relays."""
    return bool(db.execute(_other, {"me": owner, "now": now, "until": until}).scalar())


@cache
def _take(dialect: Dialect) -> Any:
    given = {
        "name": NAME,
        "owner": bindparam("me"),
        "until": bindparam("until"),
    }
    added = dialect.insert(relay_lease).values(given)
    taken = {"owner": added.excluded.owner, "until": added.excluded.until}
    return added.on_conflict_do_update(index_elements=["name"], set_=taken, where=_free).returning(
        relay_lease.c.owner
    )


def take(db: Connection, owner: str, now: float, until: float) -> bool:
    """Become, or stay, the one who relays, until that time at most; whether it worked."""
    return db.execute(_take(dialect_of(db)), {"me": owner, "now": now, "until": until}).first() is not None


def release(db: Connection, owner: str) -> None:
    """Let somebody else relay."""
    db.execute(update(relay_lease).where(relay_lease.c.owner == owner).values(owner=None, until=0.0))


def note(db: Connection, error: str | None, now: float | None) -> None:
    """Write down what went wrong, or that nothing does any more."""
    noted = {"error": error, "failed_at": now}
    if not db.execute(update(relay_lease).where(relay_lease.c.name == NAME).values(noted)).rowcount:
        db.execute(insert(relay_lease).values(name=NAME, until=0.0, **noted))
