"""Claiming a parked row is locking it, for the transaction in which its handler runs and the row is deleted.

A crash is a rollback, which unlocks it: there are no leases and nothing that expires. On SQLite, where
`Database` begins every transaction as the one writer, the transaction itself is the lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    select,
)

from . import due_queues
from .delivery_row import Columns, delivery_row, headers_of, letter_row, waits_of
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .due import due_since
from .due_queues import is_in
from .key_heads import first_of_key
from .tables import parked
from .walks import walk


class ParkedRow:
    """One row of the retry table. It also is the record that the event was: see `Original`."""

    def __init__(self, row: Row[Any]) -> None:
        self.id: int = row.id
        self.group: str = row.group_name
        self.handler: str = row.handler
        self.signal: str = row.signal
        self.source: str = row.source
        self.event_id: str = row.event_id
        self.key_text: str | None = row.key
        self.subject: str | None = row.subject
        self.rank: int = row.rank
        self.ordered: bool = row.ordered
        self.waits = waits_of(row)
        self.attempts: int = row.attempts
        self.starts: int = row.starts
        self.due_at: float | None = row.due_at
        self.head_since: float | None = row.head_since
        self.parked_at: float = row.parked_at
        self.error: str | None = row.error
        self._value: bytes | None = row.value
        self._headers: str | None = row.headers

    def value(self) -> bytes | None:
        return self._value

    def key(self) -> bytes | None:
        return None if self.key_text is None else self.key_text.encode()

    def headers(self) -> list[tuple[str, bytes]]:
        return headers_of(self._headers)

    def letter(self, app: str, reason: str, now: float) -> Columns:
        """The dead letter that it becomes."""
        row = delivery_row(
            self,
            app=app,
            group=self.group,
            handler=self.handler,
            signal=self.signal,
            source=self.source,
            event_id=self.event_id,
            key=self.key_text,
            subject=self.subject,
            parked_at=self.parked_at,
            rank=self.rank,
            ordered=self.ordered,
            waits=self.waits,
            attempts=self.attempts,
            error=self.error,
        )
        return letter_row(row, reason, now, parked_id=self.id)


def unclaimed(query: Select[Any], table: Table) -> Select[Any]:
    """The rows that the query finds, locked, without those that somebody else has locked."""
    return query.with_for_update(of=table, skip_locked=True)


def _due_heads(*, at_once: bool) -> Select[Any]:
    heads = (
        select(parked)
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


_LOCKED_HEADS = {at_once: _due_heads(at_once=at_once) for at_once in (True, False)}


def claim(
    db: Connection, app: str, group: str, handlers: Sequence[str], now: float, limit: int
) -> list[ParkedRow]:
    """Claim what is due, and behind each claimed head the run of rows of its key, at most ``limit`` in all.

    Whoever holds a head's lock holds its key: nobody else may claim a row of it. Each queue of heads has its share.
    They come in turns, one of each queue, those first that have been due for longest: time may be up before the last.
    """
    heads: list[ParkedRow] = []
    places: dict[int, int] = {}
    queues = due_queues.due(db, group, handlers, now)
    while queues and len(heads) < limit:
        # The shares that the younger ones leave are the older one's: what has lain for long is likely to be much. Where
        # there is not room for one row of each, the older ones come first.
        share = (limit - len(heads)) // len(queues)
        queue = queues.pop() if share else queues.pop(0)
        given = {"group": group, "of_handler": queue.handler, "now": now, "limit": max(1, share)}
        found = [ParkedRow(row) for row in db.execute(_LOCKED_HEADS[queue.is_at_once], given)]
        heads += found
        places.update({row.id: place for place, row in enumerate(found)})
    heads.sort(key=lambda head: (places[head.id], _since(head), head.id))
    return heads + _behind(db, app, heads, limit - len(heads))


def _since(head: ParkedRow) -> float:
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
def _followers(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(handler=Text, key=Text, rank=BigInteger, id=BigInteger)
    behind = walk(dialect, parked, rows.select().subquery("head"), _same_key, ("rank", "id"), "behind")
    ids = select(behind.c.id).limit(bindparam("limit", type_=BigInteger))
    return rows, select(parked).where(dialect.is_one_of(parked.c.id, ids)).with_for_update(of=parked)


def _behind(db: Connection, app: str, heads: Sequence[ParkedRow], limit: int) -> list[ParkedRow]:
    """The rows behind these heads, those of each key in their order; what has gone before its head meanwhile apart."""
    places = {(h.handler, h.key_text): (h.rank, h.id) for h in heads if h.ordered}
    if not places or limit <= 0:
        return []
    rows, statement = _followers(dialect_of(db))
    given = {**rows.bind([(*key, *place) for key, place in places.items()]), "of_app": app, "limit": limit}
    found = [ParkedRow(row) for row in db.execute(statement, given)]
    after = [row for row in found if (row.rank, row.id) > places[row.handler, row.key_text]]
    return sorted(after, key=attrgetter("rank", "id"))


@cache
def _chosen_heads(dialect: Dialect) -> tuple[Rows, Any]:
    """By their ids and by nothing else: without statistics, the planner would rather read all rows of the group."""
    rows = dialect.rows(id=BigInteger)
    heads = select(parked).where(rows.holds(parked.c.id), first_of_key())
    return rows, unclaimed(heads.order_by(parked.c.rank, parked.c.id), parked)


def claim_chosen(
    db: Connection, app: str, group: str, handlers: Sequence[str], ids: Sequence[int], limit: int
) -> list[ParkedRow]:
    """Claim those of ``ids`` that are the heads of their keys, due or not, and the rows behind them as `claim` does."""
    heads = _chosen(db, group, handlers, ids)
    return heads + _behind(db, app, heads, limit - len(heads))


def claim_again(
    db: Connection, app: str, group: str, handlers: Sequence[str], ids: Sequence[int], now: float
) -> list[ParkedRow]:
    """Claim what `claim` found before in another transaction, in its order, as far as it is still so, and nothing
    else."""
    heads = [row for row in _chosen(db, group, handlers, ids) if row.due_at is not None and row.due_at <= now]
    places = {number: place for place, number in enumerate(ids)}
    heads.sort(key=lambda head: places[head.id])
    return allowed(heads + _behind(db, app, heads, len(ids) - len(heads)), set(ids))


def allowed(rows: Sequence[ParkedRow], ids: AbstractSet[int]) -> list[ParkedRow]:
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


def _chosen(db: Connection, group: str, handlers: Sequence[str], ids: Sequence[int]) -> list[ParkedRow]:
    rows, statement = _chosen_heads(dialect_of(db))
    found = [ParkedRow(row) for row in db.execute(statement, rows.bind([(number,) for number in ids]))]
    return [row for row in found if row.group == group and row.handler in handlers]
