"""Which kind of borrowed connection goes with a database of Django's."""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper

from ..core.outcomes import HandlerMisuse
from ..database.connection import HandlerConnection
from .borrowed import Borrowed
from .sqlite import PREPARED

_OURS = "_oyez_borrowed"


def borrowed_for(real: BaseDatabaseWrapper, lent: HandlerConnection) -> Borrowed:
    """The one that stands in for a thread's connection; it is kept with that. Raises `HandlerMisuse` for a database, or
    a driver, that it cannot be used with."""
    _require_driver(real, lent)
    kept: Borrowed | None = vars(real).get(_OURS)
    if kept is None:
        made: Any = type(real)
        kind = made if isinstance(real, Borrowed) else _kind(made)  # a handler within a handler
        kept = kind(real.settings_dict, real.alias)
        vars(real)[_OURS] = kept
    return kept


@cache
def _kind(real: Any) -> type[Borrowed]:
    """Django's own class for the database, or a library's, with what is different in a borrowed connection."""
    base: type[Borrowed] = Borrowed
    if real.vendor == "postgresql":
        from .postgresql import BorrowedPostgreSQL  # noqa: PLC0415 # needs psycopg

        base = BorrowedPostgreSQL
    return cast("type[Borrowed]", type(f"Borrowed{real.__name__}", (base, real), {}))


def _require_driver(real: BaseDatabaseWrapper, lent: HandlerConnection) -> None:
    driver = lent.dialect.driver
    if real.vendor == "postgresql" and driver == "psycopg":
        from django.db.backends.postgresql.psycopg_any import is_psycopg3  # noqa: PLC0415 # needs psycopg

        if is_psycopg3:
            return
    is_sqlite = real.vendor == "sqlite" and isinstance(lent.connection.driver_connection, sqlite3.Connection)
    if is_sqlite and lent.info.get(PREPARED):
        return
    if is_sqlite:
        raise HandlerMisuse(
            f"the worker's connection was made before Django was set up, or leads to another file than its database "
            f"{real.alias!r}; run it by manage.py oyez"
        )
    raise HandlerMisuse(
        f"Django's database {real.alias!r} ({real.display_name}) cannot use the worker's connection "
        f"({lent.dialect.name}+{driver}); both have to be PostgreSQL by psycopg 3, or SQLite"
    )
