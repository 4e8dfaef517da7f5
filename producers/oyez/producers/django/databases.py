"""The address of one of Django's databases, as SQLAlchemy writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connections
from django.utils.connection import ConnectionDoesNotExist
from sqlalchemy import URL

from ..errors import SettingsError

_DJANGOS = frozenset({"isolation_level", "pool", "server_side_binding"})
"""Options of a PostgreSQL connection that are Django's own. The others are libpq's."""


def address_of(alias: str) -> str:
    """The address of the database with this alias, with its password. SettingsError: there is none, or Oyez knows no
    such database."""
    try:
        connection = connections[alias]
    except ConnectionDoesNotExist:
        known = ", ".join(sorted(connections))
        raise SettingsError(
            f"settings.OYEZ['DATABASE'] is {alias!r}, which settings.DATABASES does not have; it has {known}"
        ) from None
    said = connection.settings_dict
    match connection.vendor:
        case "postgresql":
            return _postgresql(alias, said).render_as_string(hide_password=False)
        case "sqlite":
            return _sqlite(str(said["NAME"])).render_as_string(hide_password=False)
    raise SettingsError(
        f"the database {alias!r} is {connection.display_name}; Oyez's tables can be in PostgreSQL and SQLite: set "
        f"settings.OYEZ['DATABASE'] to the alias of one of these"
    )


def _postgresql(alias: str, said: Mapping[str, Any]) -> URL:
    options = {name: str(value) for name, value in said["OPTIONS"].items() if name not in _DJANGOS}
    if "assume_role" in options:
        raise SettingsError(
            f"the database {alias!r} has the option assume_role, which only Django knows; give it OPTIONS "
            f"{{'options': '-c role=…'}} instead"
        )
    host = str(said["HOST"] or "")
    if host.startswith(("/", "@")):  # a folder of sockets
        options, host = {**options, "host": host}, ""
    return URL.create(
        "postgresql+psycopg",
        username=said["USER"] or None,
        password=str(said["PASSWORD"]) if said["PASSWORD"] else None,
        host=host or None,
        port=int(said["PORT"]) if said["PORT"] else None,
        database=said["NAME"] or None,
        query=options,
    )


def _sqlite(name: str) -> URL:
    """Django's tests have their database in memory, under a name that the connections of the process share."""
    file, _, query = name.partition("?")
    if not file.startswith("file:"):
        return URL.create("sqlite", database=name)
    said = dict(part.partition("=")[::2] for part in query.split("&") if part)
    return URL.create("sqlite", database=file, query={**said, "uri": "true"})
