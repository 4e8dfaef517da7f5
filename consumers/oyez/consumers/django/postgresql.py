"""What Django sets up on a connection to PostgreSQL, for its own cursors alone."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql import base as _base
from django.db.backends.postgresql import psycopg_any
from psycopg import sql

from ..database.connection import HandlerConnection
from .borrowed import Borrowed

_DJANGO: Any = _base
_SAME = {f"{area}{name}" for area in ("", "etc/") for name in ("utc", "uct", "universal", "zulu")}
"""Names of the same time zone, in small letters."""


class BorrowedPostgreSQL(Borrowed):
    """Django's cursors read and write values in ways of their own. SQLAlchemy's, on the same connection, do not."""

    def begin(self, lent: HandlerConnection, real: BaseDatabaseWrapper) -> None:
        """The session's time zone is Django's as long as the handler runs: its loaders go by that."""
        super().begin(lent, real)
        wanted = self.timezone_name
        now = self.connection.info.parameter_status("TimeZone") or ""
        if wanted != now and not {wanted.lower(), now.lower()} <= _SAME:
            lent.note_settings()
            self.connection.execute(sql.SQL("SET LOCAL TIME ZONE {}").format(wanted))

    def create_cursor(self, name: str | None = None) -> Any:
        """As Django's, with what it sets for a whole connection set for the cursor."""
        cursor = self._cursor_named(name) if name else self._plain_cursor()
        _adapt(cursor, self.timezone)
        return cursor

    def _plain_cursor(self) -> Any:
        kind = _DJANGO.ServerBindingCursor if self._binds_at_the_server() else _DJANGO.Cursor
        return kind(self.connection)

    def _cursor_named(self, name: str) -> Any:
        kind: Any = psycopg.ServerCursor if self._binds_at_the_server() else _DJANGO.ServerSideCursor
        return kind(self.connection, name=name, scrollable=False, withhold=False)

    def _binds_at_the_server(self) -> bool:
        return self.settings_dict["OPTIONS"].get("server_side_binding") is True


def _adapt(cursor: Any, timezone: Any) -> None:
    """What `psycopg_any.get_adapters_template` has for a connection."""
    for kind in ("jsonb", "inet", "cidr"):
        cursor.adapters.register_loader(kind, psycopg_any.TextLoader)
    cursor.adapters.register_dumper(psycopg_any.Range, psycopg_any.DjangoRangeDumper)
    psycopg_any.register_tzloader(timezone, cursor)
