"""Claiming a parked row is locking it, for the transaction in which its handler runs and the row is deleted.

A crash is a rollback, which unlocks it: there are no leases and nothing that expires. On SQLite, where
`Database` begins every transaction as the one writer, the transaction itself is the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    select,
)

from . import due_queues
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .due import due_since
from .due_queues import NO_KEYS, Keys, is_in, is_of_others
from .key_heads import first_of_key
from .parked_row import Candidate, ParkedRow, Placed, Standing, candidates, standings, whole_rows
from .tables import parked
from .walks import walk


def unclaimed(query: Select[Any], table: Table) -> Select[Any]:
    """The rows that the query finds, locked, without those that somebody else has locked."""
    return query.with_for_update(of=table, skip_locked=True)


@cache
def due_heads(read: Callable[[], Select[Any]], *, at_once: bool) -> Select[Any]:
    heads = (
        read()
        .where(
            parked.c.group_name == bindparam("group"),
            parked.c.handler == bindparam("of_handler"),
            is_in(at_once=at_once),
            parked.c.due_at <= bindparam("now"),
            first_of_key(),
        )
        .order_by(parked.c.due_at, parked.c.id)
        .limit(bindparam("limit", type_=BigInteger))
    )
    return unclaimed(heads, parked)


@cache
def _due_heads_of_others(read: Callable[[], Select[Any]], *, at_once: bool) -> Select[Any]:
    """The same without the keys that are left."""
    return due_heads(read, at_once=at_once).where(is_of_others())


R = TypeVar("R", bound=Placed)


class _As(NamedTuple, Generic[R]):
    """How claimed rows are read."""

    read: Callable[[], Select[Any]]
    make: Callable[[Row[Any]], R]


AS_WHOLE = _As(whole_rows, ParkedRow)
AS_CANDIDATES = _As(candidates, Candidate._make)
AS_STANDING = _As(standings, Standing._make)


def claim(
    db: Connection,
    app: str,
    group: str,
    handlers: Sequence[str],
    now: float,
    limit: int,
    left: Keys = NO_KEYS,
) -> list[ParkedRow]:
    """Claim what is due, and behind each claimed head the run of rows of its key, at most ``limit`` in all, and nothing
    of the keys that are ``left``.

    Whoever holds a head's lock holds its key: nobody else may claim a row of it. Each queue of heads has its share.
    They come in turns, one of each queue, those first that have been due for longest: time may be up before the last.
    """
    return _claim(db, AS_WHOLE, app, group, handlers, now, limit, left)


def claim_candidates(
    db: Connection,
    app: str,
    group: str,
    handlers: Sequence[str],
    now: float,
    limit: int,
    left: Keys = NO_KEYS,
) -> list[Candidate]:
    """The same, for whoever chooses among them, and needs no event."""
    return _claim(db, AS_CANDIDATES, app, group, handlers, now, limit, left)


def _claim(
    db: Connection,
    rows: _As[R],
    app: str,
    group: str,
    handlers: Sequence[str],
    now: float,
    limit: int,
    left: Keys,
) -> list[R]:
    heads: list[R] = []
    places: dict[int, int] = {}
    queues = due_queues.due(db, group, handlers, now, left)
    while queues and len(heads) < limit:
        # The shares that the younger ones leave are the older one's: what has lain for long is likely to be much. Where
        # there is not room for one row of each, the older ones come first.
        share = (limit - len(heads)) // len(queues)
        queue = queues.pop() if share else queues.pop(0)
        given = {"group": group, "of_handler": queue.handler, "now": now, "limit": max(1, share)}
        statement = due_heads(rows.read, at_once=queue.is_at_once)
        if keys := left.get(queue.handler):
            statement = _due_heads_of_others(rows.read, at_once=queue.is_at_once)
            given["left"] = sorted(keys)
        found = [rows.make(row) for row in db.execute(statement, given).all()]
        heads += found
        places.update({row.id: place for place, row in enumerate(found)})
    heads.sort(key=lambda head: (places[head.id], _since(head), head.id))
    return with_what_is_behind(db, rows, app, heads, limit)


def _since(head: Placed) -> float:
    assert head.due_at is not None  # it is due
    return due_since(head.due_at)


def _same_key(row: Any, place: Any) -> list[Any]:
    return [
        row.c.app == bindparam("of_app"),
        row.c.handler == place.c.handler,
        row.c.key == place.c.key,
        row.c.ordered,
    ]


@cache
def _followers(dialect: Dialect, read: Callable[[], Select[Any]]) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text, rank=BigInteger, id=BigInteger)
    behind = walk(dialect, parked, rows.select().subquery("head"), _same_key, ("rank", "id"), "behind")
    ids = select(behind.c.id).limit(bindparam("limit", type_=BigInteger))
    return rows, read().where(dialect.is_one_of(parked.c.id, ids)).with_for_update(of=parked)


def with_what_is_behind(db: Connection, rows: _As[R], app: str, heads: list[R], limit: int) -> list[R]:
    """These heads, and the rows behind them, ``limit`` in all; those of each key in their order, and without what has
    gone before its head meanwhile."""
    places = {(h.handler, h.key_text): (h.rank, h.id) for h in heads if h.ordered}
    left = limit - len(heads)
    if not places or left <= 0:
        return heads
    given, statement = _followers(dialect_of(db), rows.read)
    asked = given.bind([(*key, *place) for key, place in places.items()])
    found = map(rows.make, db.execute(statement, {**asked, "of_app": app, "limit": left}).all())
    after = [row for row in found if (row.rank, row.id) > places[row.handler, row.key_text]]
    return heads + sorted(after, key=attrgetter("rank", "id"))


is_due = parked.c.due_at <= bindparam("now", type_=Double)


@cache
def chosen_heads(dialect: Dialect, *conditions: ColumnElement[bool]) -> tuple[Rows, Any]:
    rows, heads = given_heads(dialect, *conditions)
    return rows, unclaimed(heads, parked)


def given_heads(dialect: Dialect, *conditions: ColumnElement[bool]) -> tuple[Rows, Select[Any]]:
    """By their ids and by nothing else: without statistics, the planner would rather read all rows of the group."""
    rows = dialect.rows(id=BigInteger)
    heads = whole_rows().where(rows.holds(parked.c.id), *conditions, first_of_key())
    return rows, heads.order_by(parked.c.rank, parked.c.id)


def claim_chosen(
    db: Connection, app: str, group: str, handlers: Sequence[str], ids: Sequence[int], limit: int
) -> list[ParkedRow]:
    """Claim those of ``ids`` that are the heads of their keys, due or not, and the rows behind them as `claim` does."""
    heads = chosen(db, chosen_heads(dialect_of(db)), group, handlers, ids)
    return with_what_is_behind(db, AS_WHOLE, app, heads, limit)


def claim_again(
    db: Connection, app: str, group: str, handlers: Sequence[str], ids: Sequence[int], now: float
) -> list[ParkedRow]:
    """Claim what `claim` found before in another transaction, in its order, as far as it is still so, and nothing
    else. What is not due is behind a head, most likely: for that, its key's head is not looked for again."""
    heads = chosen(db, chosen_heads(dialect_of(db), is_due), group, handlers, ids, now=now)
    return as_chosen(db, app, heads, ids)


def as_chosen(db: Connection, app: str, heads: list[ParkedRow], ids: Sequence[int]) -> list[ParkedRow]:
    """These heads and what is behind them, in the order of ``ids``, as far as it is among those."""
    places = {number: place for place, number in enumerate(ids)}
    heads.sort(key=lambda head: places[head.id])
    return allowed(with_what_is_behind(db, AS_WHOLE, app, heads, len(ids)), set(ids))


def allowed(rows: Sequence[R], ids: AbstractSet[int]) -> list[R]:
    """The rows of each key up to the first that is not among ``ids``."""
    ended: set[tuple[str, str | None]] = set()
    kept = []
    for row in rows:
        key = (row.handler, row.key_text)
        if row.ordered and (key in ended or row.id not in ids):
            ended.add(key)
        else:
            kept.append(row)
    return kept


def chosen(
    db: Connection,
    asked: tuple[Rows, Any],
    group: str,
    handlers: Sequence[str],
    ids: Sequence[int],
    **given: float,
) -> list[ParkedRow]:
    rows, statement = asked
    found = dialect_of(db).ask(db, statement, {**rows.bind([(number,) for number in ids]), **given}).rows
    return [row for row in map(ParkedRow, found) if row.group == group and row.handler in handlers]
