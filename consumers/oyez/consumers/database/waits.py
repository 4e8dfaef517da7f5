"""For how long shares have been parked."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

from .tables import parked

_oldest = select(func.min(parked.c.parked_at)).where(parked.c.group_name == bindparam("group"))


def oldest(db: Connection, group: str) -> float | None:
    """When the oldest of a group's parked shares was parked. It reads all of them."""
    found: float | None = db.execute(_oldest, {"group": group}).scalar()
    return found
