"""The signals that parked rows wait for."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from .tables import parked

_next = (
    select(parked.c.wait_signal)
    .where(
        parked.c.app == bindparam("app"),
        parked.c.wait_signal.is_not(None),  # said for the sake of the partial index
        parked.c.wait_signal > bindparam("after"),
    )
    .order_by(parked.c.wait_signal)
    .limit(1)
)


def awaited_signals(db: Connection, app: str) -> list[str]:
    """Each of them once, in order: a look into the index for each, however many rows wait."""
    found: list[str] = []
    while (name := db.execute(_next, {"app": app, "after": found[-1] if found else ""}).scalar()) is not None:
        found.append(name)
    return found
