"""Claims of lanes: heads beside those that other lanes have, and the rows of a start note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, or_

from . import due_queues
from .behind import is_behind
from .claims import (
    AS_CANDIDATES,
    AS_STANDING,
    allowed,
    as_chosen,
    chosen,
    chosen_heads,
    due_heads,
    given_heads,
    is_due,
    with_what_is_behind,
)
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .due_queues import NO_KEYS, Keys, is_of_others
from .key_heads import first_of_key
from .parked_row import Candidate, ParkedRow, Standing, candidates, standings
from .tables import parked, start


@cache
def _due_heads_beside(
    dialect: Dialect, read: Callable[[], Select[Any]], *, at_once: bool
) -> tuple[Rows, Select[Any]]:
    busy = dialect.rows(id=BigInteger)
    return busy, due_heads(read, at_once=at_once).where(~busy.holds(parked.c.id))


class Wanted(NamedTuple):
    """How much is claimed: so many heads, with what is behind them so many rows, and ``failing`` of those heads that
    have failed before as long as others wait."""

    heads: int
    rows: int
    failing: int


def claim_beside(
    db: Connection,
    app: str,
    group: str,
    handler: str,
    now: float,
    wanted: Wanted,
    busy: AbstractSet[int],
    left: Keys = NO_KEYS,
) -> list[Candidate]:
    """As `claim_candidates` for one handler, without the heads that are ``busy``: whoever has been given those is about
    to lock them, and is not to find them locked."""
    due = {queue.is_at_once for queue in due_queues.due(db, group, [handler], now, left)}
    shares = [(False, wanted.failing), (True, wanted.heads), (False, wanted.heads)]
    heads: list[Candidate] = []
    for at_once, most in shares if len(due) > 1 else [(one, wanted.heads) for one in due]:
        limit = min(most, wanted.heads - len(heads))
        if limit > 0:
            found = {head.id for head in heads}
            heads += _heads_beside(db, group, handler, now, limit, busy | found, left, at_once=at_once)
    return with_what_is_behind(db, AS_CANDIDATES, app, heads, wanted.rows)


def claim_suspected(
    db: Connection, group: str, handler: str, now: float, least: int, left: Keys = NO_KEYS
) -> list[Candidate]:
    """A head on which workers have died so often, whatever else is due."""
    keys = sorted(left.get(handler, ()))
    given = {"group": group, "of_handler": handler, "now": now, "limit": 1, "least": least}
    for at_once in (True, False):
        statement = due_heads(candidates, at_once=at_once).where(parked.c.starts >= bindparam("least"))
        if keys:
            statement = statement.where(is_of_others())
        found = db.execute(statement, given | ({"left": keys} if keys else {})).all()
        if found:
            return [Candidate._make(row) for row in found]
    return []


def _heads_beside(
    db: Connection,
    group: str,
    handler: str,
    now: float,
    limit: int,
    busy: AbstractSet[int],
    left: Keys,
    *,
    at_once: bool,
) -> list[Candidate]:
    keys = sorted(left.get(handler, ()))
    beside, statement = _due_heads_beside(dialect_of(db), candidates, at_once=at_once)
    if keys:
        statement = statement.where(is_of_others())
    given = {"group": group, "of_handler": handler, "now": now, "limit": limit}
    given |= beside.bind([(number,) for number in busy]) | ({"left": keys} if keys else {})
    return [Candidate._make(row) for row in db.execute(statement, given)]


@cache
def _noted_heads(dialect: Dialect) -> tuple[Rows, Any]:
    rows, heads = given_heads(dialect, is_due)
    return rows, _with_note(heads)


def _with_note(heads: Select[Any]) -> Select[Any]:
    is_its = and_(start.c.id == bindparam("number"), start.c.group_name == parked.c.group_name)
    noted = heads.join_from(parked, start, is_its)
    return noted.with_for_update(of=[parked, start], skip_locked=True)


_may_run = or_(is_due, is_behind())
"""A head that is behind nothing any more is as good as due: nobody has got round to saying so."""


@cache
def _handed_heads(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    heads = standings().where(rows.holds(parked.c.id), _may_run, first_of_key())
    return rows, _with_note(heads.order_by(parked.c.rank, parked.c.id))


def claim_noted(
    db: Connection, app: str, group: str, handlers: Sequence[str], number: int, ids: Sequence[int], now: float
) -> list[ParkedRow]:
    """As `claim_again` for rows that a start note names, with the note: as long as it is locked, whoever wrote it
    lives. There is nothing to claim for a note that is gone."""
    heads = chosen(db, _noted_heads(dialect_of(db)), group, handlers, ids, now=now, number=number)
    return as_chosen(db, app, heads, ids)


def claim_handed(
    db: Connection, app: str, group: str, handlers: Sequence[str], number: int, ids: Sequence[int], now: float
) -> list[Standing]:
    """The same for rows that were never chosen, but are known to whoever has parked them. Nothing that he may believe
    of them has to be true: what is not the head of its key, was taken by another one, is due later or waits, and what
    workers have died on, is left."""
    rows, statement = _handed_heads(dialect_of(db))
    given = {**rows.bind([(one,) for one in ids]), "now": now, "number": number}
    heads = list(map(Standing._make, dialect_of(db).ask(db, statement, given).rows))
    heads = [one for one in heads if one.group == group and one.handler in handlers]
    places = {one: place for place, one in enumerate(ids)}
    heads.sort(key=lambda head: places[head.id])
    found = with_what_is_behind(db, AS_STANDING, app, heads, len(ids))
    return allowed(found, {one.id for one in found if one.starts == 0}.intersection(ids))


def claim_undone(
    db: Connection, app: str, group: str, handlers: Sequence[str], ids: Sequence[int], now: float
) -> list[ParkedRow]:
    """As `claim_again`, for what a lane had claimed in a transaction that was undone, however it had come to it."""
    heads = chosen(db, chosen_heads(dialect_of(db), _may_run), group, handlers, ids, now=now)
    return as_chosen(db, app, heads, ids)
