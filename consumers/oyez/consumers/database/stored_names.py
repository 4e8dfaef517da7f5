"""Whether anything that is stored has the name of a signal or a handler: of one that is gone, something may."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, select

from .tables import dead, parked, scheduled


def is_stored(db: Connection, noun: Literal["signal", "handler"], name: str) -> bool:
    """Whether a row of what is parked, dead or scheduled has it."""
    tables = (table for table in (parked, dead, scheduled) if noun in table.c)
    found = (db.execute(select(table.c.id).where(table.c[noun] == name).limit(1)) for table in tables)
    return any(one.first() is not None for one in found)
