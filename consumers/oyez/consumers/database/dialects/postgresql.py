"""PostgreSQL: many writers, each of which locks the rows that it writes."""

from __future__ import annotations

import os
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    text,
)
from sqlalchemy import select as query
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from .dialect import NO_OPTIONS, Answer, Dialect
from .poolers import POOLED, is_behind_a_pooler, without_threshold
from .postgresql_columns import in_columns
from .postgresql_direct import ask_directly
from .postgresql_notifying import PostgresNotifier
from .postgresql_putting import put
from .postgresql_room import FREE
from .postgresql_settings import SETTINGS, set_back_in_transaction, set_back_session
from .rows import NAME, Rows

CONFLICTS = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
LIBPQ_DRIVERS = ("psycopg", "psycopg2", "psycopg_async")
LIBPQ = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
SERVER = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
READ_COMMITTED = "READ COMMITTED"
LEVEL = "oyez_isolation_level"
"""The option of an engine whose connections have that level unless something else is said."""
_IDLE, _IN_ERROR = 0, 3  # libpq's transaction states
_LIMIT = text("SELECT set_config('statement_timeout', :limit, true)")
_BE_BRIEF = text("SET LOCAL lock_timeout = '500ms'")
_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), "
    "set_config('enable_sort', 'off', true), set_config('jit', 'off', true)"
)
_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)")
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")


class ArrayRows(Rows):
    """Rows that are unnested from arrays. Each is sent as its text: drivers take ten times as long to write a list."""

    def __init__(self, types: Mapping[str, type[TypeEngine[Any]]]) -> None:
        arrays = [
            cast(bindparam(_parameter(name), type_=Text), postgresql.ARRAY(kind))
            for name, kind in types.items()
        ]
        self._arrays = arrays
        columns = [column(name, kind) for name, kind in types.items()]
        table = func.unnest(*arrays).table_valued(*columns, name=NAME).render_derived()
        super().__init__(table, dict(table.c.items()))

    def matches(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """A join: as long as a table has no statistics, PostgreSQL may compare each of its rows with each given one
        otherwise."""
        return and_(*(ours == theirs for ours, theirs in zip(self.c.values(), columns, strict=True)))

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """An array: its values are looked for in the index. For a set of rows PostgreSQL may rather read all of a table
        of some ten thousand."""
        (array,) = self._arrays
        return column == any_(array)

    def bind(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.c)
        return {_parameter(name): _array_text(values) for name, values in zip(self.c, columns, strict=True)}


class PostgreSQL(Dialect):
    """See `Dialect`."""

    title = "PostgreSQL"
    also_called = frozenset({"pg", "pgsql", "postgres", "psql", "psycopg"})
    plain_address = "postgresql+psycopg://"
    away_hint = "is it running? `oyez dev` starts one here"
    async_driver = "psycopg_async"
    locks_rows = True
    compares_rows = True
    joins_sideways = True
    writes_in_queries = True
    has_schemas = True
    row_id = BigInteger()
    begin = None
    check_now = text("SET CONSTRAINTS ALL IMMEDIATE")
    notifier = PostgresNotifier()

    def engine(
        self, url: URL, *, sqlite_journal: str | None, idle_limit: float, pool: Mapping[str, Any] = NO_OPTIONS
    ) -> Engine:
        """A worker that is frozen or gone must not hold its locks: neither side waits for the other for ever. What a
        pooler gives to others next is left as it is, and not asked to remember statements."""
        address, said = without_threshold(url)
        is_libpq = url.get_driver_name() in LIBPQ_DRIVERS
        engine = create_engine(
            address,
            connect_args={**LIBPQ, **said} if is_libpq else {},
            isolation_level=READ_COMMITTED,
            execution_options={LEVEL: READ_COMMITTED},
            **pool,
        )

        @event.listens_for(engine, "connect")
        def limit(connection: Any, record: Any) -> None:
            cursor = connection.cursor()
            if is_libpq and is_behind_a_pooler(connection, cursor):
                record.info[POOLED] = True
                connection.prepare_threshold = None
            else:
                for name, value in {
                    "idle_in_transaction_session_timeout": int(idle_limit * 1000),
                    "array_nulls": "on",
                    **SERVER,
                }.items():
                    cursor.execute(f"SET {name} = {value}")
            cursor.close()
            connection.commit()

        if url.get_driver_name() == "psycopg":
            event.listen(engine, "do_executemany", in_columns(_array_text))
        return engine

    def is_pooled(self, db: Connection) -> bool:
        return bool(db.info.get(POOLED))

    def free_connections(self, db: Connection) -> int | None:
        found: int | None = None if self.is_pooled(db) else db.execute(FREE).scalar()
        return found

    def before_begin(self, connection: Connection) -> None:
        """A connection of an engine of ours has it from its beginning: each time would take as long as a statement."""
        if connection.get_execution_options().get(LEVEL) is None:
            connection.execution_options(isolation_level=READ_COMMITTED)

    def is_over(self, driver_connection: Any) -> bool:
        return driver_connection.info.transaction_status in (_IDLE, _IN_ERROR)

    def now(self, db: Connection) -> float:
        """The server's."""
        return float(db.execute(_NOW).scalar_one())

    def abort(self, driver_connection: Any) -> None:
        """Its own thread is told first, and then the server, which would go on with the statement."""
        with suppress(Exception):  # it may be closed by now, or of a driver that has no socket
            protocol = getattr(driver_connection, "pgconn", None)
            cancel = None if protocol is None else protocol.get_cancel()
            with socket(fileno=os.dup(driver_connection.fileno())) as line:
                line.shutdown(SHUT_RDWR)
            if cancel is not None:
                cancel.cancel()

    def be_brief(self, db: Connection) -> None:
        db.execute(_BE_BRIEF)

    @contextmanager
    def limit(self, db: Connection, seconds: float) -> Iterator[None]:
        db.execute(_LIMIT, {"limit": f"{seconds * 1000:.0f}"})
        yield

    def took_too_long(self, error: DBAPIError) -> bool:
        return getattr(error.orig, "sqlstate", None) == "57014"

    def read_by_index(self, db: Connection) -> None:
        """What is switched off is still done where there is no other way. It counts as so dear that compiling the
        statement would seem to be worth its time."""
        db.execute(_BY_INDEX)

    def lock_migrations(self, db: Connection, lock: int) -> None:
        db.execute(_LOCK, {"lock": lock})

    def settings(self, db: Connection) -> Mapping[str, str]:
        return {str(name): str(value) for name, value in db.execute(SETTINGS)}

    def set_back_session(self, db: Connection, before: Mapping[str, str]) -> None:
        set_back_session(db, before)

    def set_back_in_transaction(self, db: Connection, before: Mapping[str, str]) -> None:
        set_back_in_transaction(db, before, self.settings(db))

    def make_tables_in(self, db: Connection, schema: str) -> None:
        db.execute(
            query(func.set_config("search_path", db.dialect.identifier_preparer.quote_schema(schema), True))
        )

    def says_conflict(self, error: BaseException | None) -> bool:
        return getattr(error, "sqlstate", None) in CONFLICTS

    def could_not_connect(self, error: DBAPIError) -> bool:
        """psycopg has no SQLSTATE for a connection that could not be made."""
        is_operational = type(error).__name__ == "OperationalError"
        is_drivers = "psycopg" in type(error.orig).__module__
        return is_operational and is_drivers and getattr(error.orig, "sqlstate", None) is None

    def rows(self, **types: type[TypeEngine[Any]]) -> Rows:
        return ArrayRows(types)

    def is_one_of(self, column: ColumnElement[Any], query: Select[Any]) -> ColumnElement[bool]:
        """An array, as in `ArrayRows.holds`, and for its reason."""
        return column == any_(func.array(query.scalar_subquery()))

    def insert(self, table: Table) -> Any:
        return postgresql.insert(table)

    def ask(self, db: Connection, statement: Any, given: Mapping[str, object]) -> Answer:
        return ask_directly(db, statement, given) or super().ask(db, statement, given)

    def put(self, db: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
        return put(db, table, rows, _array_text)

    def inserted_all(self, result: CursorResult[Any], count: int) -> bool:
        """The driver has counted them."""
        return result.rowcount == count

    def new_ids(self, db: Connection, column: Column[int], count: int) -> list[int]:
        sequence = func.pg_get_serial_sequence(
            db.dialect.identifier_preparer.format_table(column.table), column.name
        )
        return sorted(
            db.execute(query(func.nextval(sequence)).select_from(func.generate_series(1, count))).scalars()
        )

    def first_line(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.split_part(column, "\n", 1)

    def file(self, db: Connection) -> Path | None:
        return None

    def is_missing(self, address: URL) -> bool:
        return False

    def journal(self, db: Connection) -> str | None:
        return None


DIALECT = PostgreSQL()


def _parameter(name: str) -> str:
    return f"{NAME}_{name}"


NUMBERS = {int, float, bool, type(None)}


def _array_text(values: Sequence[object]) -> str:
    """PostgreSQL's text for the array of these texts, numbers or booleans, of which some may be None."""
    if not values:
        return "{}"
    kinds = set(map(type, values))
    if kinds <= NUMBERS:
        return f"{{{str(list(values))[1:-1].replace('None', 'NULL')}}}"
    if kinds == {str}:
        joined = '","'.join(typing.cast("Sequence[str]", values))
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return f'{{"{joined}"}}'
    return f"{{{','.join(map(_written, values))}}}"


def _written(value: object) -> str:
    if isinstance(value, str):
        return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))
    return "NULL" if value is None else str(value)
