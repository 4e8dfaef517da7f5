"""How much has not left, for whoever measures it: counted up to a limit, so that no backlog is read as a whole."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select

from ..core.leaving import Leaving
from .clock import Clock
from .engine import Database
from .tables import outbox, scheduled

MOST = 100_000
"""Rows of either table that are looked at: the first ones."""

_most: Any = bindparam("most")
_first: Any = select(outbox.c.announced_at, outbox.c.refused).order_by(outbox.c.id).limit(_most).subquery()
_waits = _first.c.refused.is_(None)
_outbox = select(
    func.count().filter(_waits), func.min(_first.c.announced_at).filter(_waits), func.count(_first.c.refused)
).select_from(_first)

_next: Any = select(scheduled.c.due_at).order_by(scheduled.c.due_at).limit(_most).subquery()
_scheduled = select(func.count(), func.min(_next.c.due_at)).select_from(_next)


def leaving(database: Database, clock: Clock, most: int = MOST) -> Leaving:
    """How much has not left, of the first ``most`` rows. Raises `DatabaseAway`."""
    with database.reading() as db:
        waiting, oldest, refused = db.execute(_outbox, {"most": most}).one()
        later, due = db.execute(_scheduled, {"most": most}).one()
        now = clock(db)
    return Leaving(waiting, _since(oldest, now), refused, later, _since(due, now))


def _since(moment: float | None, now: float) -> float:
    return 0.0 if moment is None else max(0.0, now - moment)
