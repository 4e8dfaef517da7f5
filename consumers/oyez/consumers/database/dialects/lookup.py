"""Dialects by name."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from sqlalchemy import Connection

from .dialect import Dialect
from .errors import DatabaseError

GROUP = "oyez.databases"
"""The entry point group: SQLAlchemy's name of a database -> a `Dialect`."""


def dialect_of(db: Connection) -> Dialect:
    """The dialect of the database that a connection is to. Raises `DatabaseError` for one that nobody knows.

    What runs for each batch asks `dialect_named` itself, which is a look into a cache.
    """
    return dialect_named(db.dialect.name)


@cache
def dialect_named(name: str) -> Dialect:
    """The dialect that is registered under SQLAlchemy's name for a database.

    Raises `DatabaseError` when there is none, or when it cannot be imported.
    """
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise _unknown(name)
    (point, *_) = found
    try:
        dialect: Dialect = point.load()
    except (ImportError, AttributeError) as error:
        raise DatabaseError(f"database {name}: {point.value} cannot be imported: {error}") from error
    return dialect


def _unknown(name: str) -> DatabaseError:
    for one in all_dialects():
        if name.lower() in {*one.also_called, one.title.lower()}:
            return DatabaseError(f"the database address: write {one.plain_address} instead of {name}://")
    known = " and ".join(one.title for one in all_dialects()) or "none; is it installed?"
    return DatabaseError(f"database {name}: Oyez works on {known}")


def all_dialects() -> list[Dialect]:
    """All that are registered. Raises `DatabaseError` when one cannot be imported."""
    return [dialect_named(name) for name in sorted({point.name for point in entry_points(group=GROUP)})]
