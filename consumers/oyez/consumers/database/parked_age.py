"""For how long deliveries have been parked, and how many events they are of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from .tables import parked

# From the group on, not in it alone: no other index has this order, whatever the planner takes the number of rows for.
_oldest = (
    select(parked.c.group_name, parked.c.parked_at)
    .where(parked.c.group_name >= bindparam("group"))
    .order_by(parked.c.group_name, parked.c.id)
    .limit(1)
)


def oldest(db: Connection, group: str) -> float | None:
    """When the first of a group's parked deliveries was parked: the one with the lowest id. One look into an index,
    however much other groups have parked."""
    found = db.execute(_oldest, {"group": group}).one_or_none()
    return found.parked_at if found is not None and found.group_name == group else None


def events(db: Connection, groups: Sequence[str]) -> int:
    """How many events have deliveries parked in these groups; one that two of them have parked counts twice."""
    rows = select(parked.c.group_name, parked.c.source, parked.c.event_id).where(
        parked.c.group_name.in_(groups)
    )
    return int(db.execute(select(func.count()).select_from(rows.distinct().subquery())).scalar_one())


def has_failed(db: Connection, groups: Sequence[str]) -> bool:
    """Whether a delivery parked in these groups has raised an error."""
    rows = select(parked.c.id).where(parked.c.group_name.in_(groups), parked.c.error.is_not(None))
    return db.execute(rows.limit(1)).first() is not None
