"""Partial indexes: the condition of their rows is said with the index, whichever database they are made in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, text

ONLY = "only"
"""In an index's `info`: the condition of its rows, if it is a partial one."""


def only(condition: str) -> dict[str, Any]:
    """A partial index's condition: other rows do not cost it anything, and the planner cannot take it for them."""
    return {"info": {ONLY: condition}}


def put_conditions(made: MetaData, db: Connection, **_: object) -> None:
    """When tables are made from their metadata, and not by a migration. To name a dialect's option imports that
    dialect, which takes a tenth of the time of a short command."""
    for index in (index for table in made.tables.values() for index in table.indexes):
        if ONLY in index.info:
            index.dialect_kwargs[f"{db.dialect.name}_where"] = text(index.info[ONLY])
