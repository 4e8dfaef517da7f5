"""Operations, as they are begun, looked at, stopped and ended; see `operation_table`. They are kept for thirty days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from .operation_table import operation

KEPT = 30 * 86_400.0
"""Seconds for which an operation is kept after it was begun."""


def begin(
    db: Connection, app: str, action: str, who: str, chosen: str, rate: str | None, total: int, now: float
) -> int:
    """An operation begins, upon ``total`` deliveries, at this rate at most, such as "50/s"; its number. Old ones are
    forgotten."""
    db.execute(delete(operation).where(operation.c.app == app, operation.c.began_at < now - KEPT))
    row = {"app": app, "action": action, "who": who, "chosen": chosen, "rate": rate, "total": total}
    added = db.execute(insert(operation).values(**row, began_at=now, heard_at=now).returning(operation.c.id))
    return int(added.scalar_one())


def note(db: Connection, number: int, settled: int, now: float) -> bool:
    """So many are settled by now; whether it is to go on."""
    noted = update(operation).where(operation.c.id == number).values(settled=settled, heard_at=now)
    return db.execute(noted.returning(operation.c.stop_at)).scalar() is None


def end(
    db: Connection, number: int, settled: int, counts: Mapping[str, int], error: str | None, now: float
) -> None:
    """It has ended, of itself, since it was stopped, or by an error."""
    told = {"settled": settled, "counts": json.dumps(counts), "error": error}
    db.execute(update(operation).where(operation.c.id == number).values(**told, heard_at=now, ended_at=now))


def stop(db: Connection, app: str, number: int, now: float) -> bool:
    """Ask an operation to end after the step that it is at; False if there is none that has not ended."""
    mine = (operation.c.app == app, operation.c.id == number, operation.c.ended_at.is_(None))
    return db.execute(update(operation).where(*mine).values(stop_at=now)).rowcount > 0


def read(db: Connection, app: str, number: int) -> Any:
    """An operation's row; None if there is none of that number."""
    return db.execute(select(operation).where(operation.c.app == app, operation.c.id == number)).first()


def latest(db: Connection, app: str, most: int) -> list[Any]:
    """The latest operations of an application, the newest first."""
    query = select(operation).where(operation.c.app == app).order_by(operation.c.id.desc()).limit(most)
    return list(db.execute(query))
