"""Claims of lanes: heads beside those that other lanes have, and the rows of a start note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam

from . import due_queues
from .claims import (
    AS_CANDIDATES,
    as_chosen,
    chosen,
    due_heads,
    given_heads,
    is_due,
    with_what_is_behind,
)
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .due_queues import NO_KEYS, Keys, is_of_others
from .parked_row import Candidate, ParkedRow, candidates
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
    is_its = and_(start.c.id == bindparam("number"), start.c.group_name == parked.c.group_name)
    noted = heads.join_from(parked, start, is_its)
    return rows, noted.with_for_update(of=[parked, start], skip_locked=True)


def claim_noted(
    db: Connection, app: str, group: str, handlers: Sequence[str], number: int, ids: Sequence[int], now: float
) -> list[ParkedRow]:
    """As `claim_again` for rows that a start note names, with the note: as long as it is locked, whoever wrote it
    lives. There is nothing to claim for a note that is gone."""
    heads = chosen(db, _noted_heads(dialect_of(db)), group, handlers, ids, now=now, number=number)
    return as_chosen(db, app, heads, ids)
