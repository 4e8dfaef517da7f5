"""Whether anything that is stored has the name of a signal or a handler: of one that is gone, something may."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, select

from .tables import dead, parked, scheduled


def is_stored(db: Connection, app: str, noun: Literal["signal", "handler"], name: str) -> bool:
    """Whether a row of what the application has parked or dead, or of what is scheduled, has it."""
    of_name = [
        select(table.c.id).where(*([table.c.app == app] if "app" in table.c else []), table.c[noun] == name)
        for table in (parked, dead, scheduled)
        if noun in table.c
    ]
    return any(db.execute(one.limit(1)).first() is not None for one in of_name)
