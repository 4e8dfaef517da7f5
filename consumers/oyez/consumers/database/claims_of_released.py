"""Claiming what was released since a moment, and nothing that was due before: for whoever runs it in a transaction that
is not his own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, Select, bindparam

from . import due_queues
from .claims import AS_WHOLE, due_heads, with_what_is_behind
from .due import at_once
from .due_queues import NO_KEYS, Keys, is_of_others
from .parked_row import ParkedRow, whole_rows
from .tables import parked


@cache
def _released_heads() -> Select[Any]:
    since = bindparam("since", type_=Double)
    return due_heads(whole_rows, at_once=True).where(parked.c.due_at >= since)


@cache
def _released_heads_of_others() -> Select[Any]:
    return _released_heads().where(is_of_others())


def claim_released(
    db: Connection,
    app: str,
    group: str,
    handlers: Sequence[str],
    since: float,
    now: float,
    limit: int,
    left: Keys = NO_KEYS,
) -> list[ParkedRow]:
    """Claim heads that are due at once, and have been since that moment or later; what is behind them; and nothing of
    the keys that are ``left``; ``limit`` in all."""
    heads: list[ParkedRow] = []
    for queue in due_queues.due(db, group, handlers, now, left):
        if queue.is_at_once and len(heads) < limit:
            given = {"group": group, "of_handler": queue.handler, "now": now, "since": at_once(since)}
            statement = _released_heads()
            if keys := left.get(queue.handler):
                statement, given["left"] = _released_heads_of_others(), sorted(keys)
            found = db.execute(statement, {**given, "limit": limit - len(heads)})
            heads += map(ParkedRow, found.all())
    return with_what_is_behind(db, AS_WHOLE, app, heads, limit)
