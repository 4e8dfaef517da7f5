"""For the `env.py` of an application that keeps its own tables by Alembic, in the database that has Oyez's too."""

from __future__ import annotations

from collections.abc import Mapping

from .database.metadata import PREFIX


def include_name(name: str | None, type_: str, parent_names: Mapping[str, str | None]) -> bool:
    """Whether autogenerate is to look at what has this name in the database: all but Oyez's tables, in whichever schema
    they are, and what belongs to them.

    Alembic's hook of that name: ``context.configure(…, include_name=include_name)``. Without it autogenerate proposes
    to drop Oyez's tables, which the application's metadata does not have.
    """
    table = name if type_ == "table" else parent_names.get("table_name")
    return table is None or not table.startswith(PREFIX)
