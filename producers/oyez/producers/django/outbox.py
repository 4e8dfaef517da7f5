"""The outbox, by way of Django's own connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any
from weakref import WeakSet

from django.core.signals import request_finished
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionDoesNotExist
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite

from ..errors import TransportRefused
from ..outbox import FORBIDDEN, NAME, NOW, SCHEDULED, UNDEFINED, inserting, inserting_and_telling, row
from ..scheduling import Scheduled
from .settings import WHERE, database_alias

_DIALECTS: dict[str, tuple[Any, Callable[[str, str], ClauseElement]]] = {
    "postgresql": (psycopg.dialect, inserting_and_telling),
    "sqlite": (pysqlite.dialect, inserting),
}
"""By Django's name for a database: how SQLAlchemy writes statements for it, and which one is written."""


@cache
def _statement(vendor: str, schema: str, name: str) -> tuple[str, Mapping[str, Any]]:
    """The statement as the database's driver takes it, with those of its parameters that are always the same."""
    dialect, statement = _DIALECTS[vendor]
    compiled = statement(schema, name).compile(dialect=dialect(paramstyle="pyformat"))
    return str(compiled), compiled.params


class DjangoOutbox:
    """Takes events as part of a transaction of Django's: it is committed or rolled back with its savepoint."""

    def __init__(
        self,
        clock: Callable[[], int],
        schema: str | None = None,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """As for `Outbox`. ``committed`` is called after the commit of each transaction that it has taken an event
        into; where a callback before ours has raised, at the end of the request."""
        self._clock = clock
        self._schema = schema
        self._committed = committed
        self._usual: dict[str, str] = {}
        self._owed: WeakSet[BaseDatabaseWrapper] = WeakSet()
        if committed is not None:
            request_finished.connect(self._make_up)

    def send_in(self, db: Any, topic: str, key: bytes | None, value: bytes) -> None:
        """Take one event. TransportRefused: there is no transaction, or the database does not take it."""
        connection = _connection(db)
        self._write(connection, NAME, row(topic, key, value, self._clock() / 1e9))
        if self._committed is not None and connection.in_atomic_block:
            self._owed.add(connection)
            connection.on_commit(partial(self._is_committed, connection))

    def _is_committed(self, connection: BaseDatabaseWrapper) -> None:
        self._owed.discard(connection)
        if self._committed is not None:
            self._committed()

    def _make_up(self, **_: Any) -> None:
        """Django calls no callback behind one that raises, so that ours may be missing. After a rollback it is one look
        for nothing."""
        for connection in connections.all(initialized_only=True):
            if connection in self._owed and not connection.in_atomic_block:
                self._is_committed(connection)

    def schedule_in(self, db: Any, event: Scheduled) -> None:
        """Take one that is announced later. TransportRefused: as above."""
        self._write(_connection(db), SCHEDULED, event.row())

    def now_in(self, db: Any) -> float:
        """The database's time, in seconds since the epoch. TransportRefused: as above."""
        connection = _connection(db)
        if connection.vendor != "postgresql":
            return self._clock() / 1e9
        try:
            with connection.cursor() as cursor:
                cursor.execute(NOW)
                (found,) = cursor.fetchone()
        except Error as error:
            raise TransportRefused(_reason(error, connection, self._schema, SCHEDULED)) from error
        return float(found)

    def _write(self, connection: BaseDatabaseWrapper, name: str, written: Mapping[str, Any]) -> None:
        try:
            _require_transaction(connection)
            statement, fixed = _statement(connection.vendor, self._place(connection), name)
            with connection.cursor() as cursor:
                cursor.execute(statement, {**fixed, **written})
        except Error as error:
            raise TransportRefused(_reason(error, connection, self._schema, name)) from error

    def _place(self, connection: BaseDatabaseWrapper) -> str:
        """The schema that is set, or in which a new connection makes tables: whatever the search path of the moment
        is, as where tenants have schemas of their own. That is asked once."""
        if self._schema is not None or connection.vendor != "postgresql":
            return self._schema or ""
        if connection.alias not in self._usual:
            self._usual[connection.alias] = _usual_schema(connection)
        return self._usual[connection.alias]


def _connection(db: str | BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    try:
        connection = connections[db] if isinstance(db, str) else db
    except ConnectionDoesNotExist:
        known = ", ".join(sorted(connections))
        raise TransportRefused(f"db={db!r} is no database of settings.DATABASES, which has {known}") from None
    if connection.vendor not in _DIALECTS:
        raise TransportRefused(
            f"the database {connection.alias!r} is {connection.display_name}; events join transactions of "
            f"PostgreSQL and SQLite"
        )
    return connection


def _require_transaction(connection: BaseDatabaseWrapper) -> None:
    """Without one, the event would have left already when what belongs to it fails."""
    if not connection.in_atomic_block and connection.get_autocommit():
        alias = connection.alias
        raise TransportRefused(
            f"there is no transaction on the database {alias!r} that the event could join; write `with "
            f"transaction.atomic():` around it, or leave out db="
        )


def _usual_schema(connection: BaseDatabaseWrapper) -> str:
    sid = str(connection.savepoint())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO DEFAULT")
        cursor.execute("SELECT current_schema()")
        (found,) = cursor.fetchone()
    connection.savepoint_rollback(sid)
    connection.savepoint_commit(sid)
    return found or ""


def _reason(error: Error, connection: BaseDatabaseWrapper, schema: str | None, table: str) -> str:
    said = " ".join(str(error).split())
    state = getattr(error.__cause__, "sqlstate", None)
    if table in said and ("no such table" in said or state == UNDEFINED):
        return _no_table(connection.alias, schema, table)
    if state == FORBIDDEN:
        return (
            f"the database did not take it: {said}; the role of this transaction needs INSERT on {table}, and USAGE on "
            f"its schema and on the sequence {table}_id_seq"
        )
    return f"the database did not take it: {said}"


def _no_table(alias: str, schema: str | None, table: str) -> str:
    place = f"{table}{f' in the schema {schema}' if schema else ''}"
    ours = database_alias()
    if ours is not None and ours != alias:
        return (
            f"the database {alias!r} has no table {place}: Oyez's tables are in {ours!r} ({WHERE}['DATABASE']), whose "
            f"transactions events can join"
        )
    return (
        f"the database {alias!r} has no table {place}; run: manage.py migrate, with oyez.consumers.django among "
        f"INSTALLED_APPS (or: oyez db upgrade)"
    )
