"""Token buckets: how often handlers may run in all workers together. A bucket is in its handler's row, which is locked
from the look into it to the end of the transaction that takes out of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Double, bindparam, case, select, update

from .dialects.lookup import dialect_of
from .tables import handler

_mine = (handler.c.app == bindparam("of_app"), handler.c.handler == bindparam("of_handler"))
_locked = select(handler.c.tokens, handler.c.tokens_at).where(*_mine).with_for_update()
_now = bindparam("now", type_=Double)
_later = case((handler.c.tokens_at > _now, handler.c.tokens_at), else_=_now)
"""The time may have been asked for before the row could be locked."""
_put = update(handler).where(*_mine).values(tokens=bindparam("left", type_=Double), tokens_at=_later)


def tokens(db: Connection, app: str, group: str, name: str, rate: float, most: float, now: float) -> float:
    """How many tokens are in a handler's bucket, into which ``rate`` a second fall and which holds ``most``."""
    given: dict[str, Any] = {"of_app": app, "of_handler": name}
    row = db.execute(_locked, given).first()
    if row is None:  # nobody has registered it here
        new = dialect_of(db).insert(handler).on_conflict_do_nothing()
        db.execute(new, {"app": app, "handler": name, "group_name": group, "seen_at": now})
        row = db.execute(_locked, given).one()
    if row.tokens is None or row.tokens_at is None:
        return most
    fallen = max(0.0, now - row.tokens_at) * rate
    return float(min(most, row.tokens + fallen))


def put(db: Connection, app: str, name: str, left: float, now: float) -> None:
    """So many tokens are left."""
    db.execute(_put, {"of_app": app, "of_handler": name, "left": left, "now": now})
