"""SQLite: a file with one writer at a time, and no server."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Integer,
    QueuePool,
    Table,
    Text,
    bindparam,
    case,
    create_engine,
    event,
    func,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from .dialect import NO_OPTIONS, Dialect
from .rows import NAME, Rows

BUSY_TIMEOUT = 0.05  # s; a long one starves a process among several: our own retry, with jitter, does not
JOURNAL_TIMEOUT = 5.0  # s
LEAST = 5  # connections of a pool
INSTRUCTIONS = 100_000
"""Of SQLite's machine, between two looks whether a statement takes too long: about a millisecond."""
VERSION, IS_FILE = "oyez_version", "oyez_is_file"
_BUSY = ("database is locked", "database table is locked")
_ADVANCE = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name RETURNING seq")
_BEGIN = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :count) RETURNING seq")


class JsonRows(Rows):
    """Rows that are read from an array of arrays by SQLite's ``json_each``."""

    def __init__(self, types: Mapping[str, type[TypeEngine[Any]]]) -> None:
        table = func.json_each(bindparam(NAME, type_=Text)).table_valued("value", name=NAME)
        columns = {
            name: func.json_extract(table.c.value, f"$[{at}]", type_=kind)
            for at, (name, kind) in enumerate(types.items())
        }
        super().__init__(table, columns)

    def bind(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        try:
            return {NAME: to_json(rows).decode()}  # a fifth of the time
        except ValueError:  # half of a pair of surrogates
            return {NAME: json.dumps(rows)}


class Versions:
    """A file has a number that a connection sees change when another has committed (``PRAGMA data_version``): to ask
    for it costs next to nothing beside a query."""

    tells_what = False

    def notify(self, db: Connection, channel: str, messages: Iterable[str]) -> None:
        """Whoever commits is noticed."""

    def listen(self, connection: Connection, channel: str) -> None:
        """What is written before is not missed: whoever begins looks anyway."""
        connection.info[VERSION] = _version(connection)
        connection.info[IS_FILE] = DIALECT.file(connection) is not None

    def heard(self, connection: Connection) -> list[str]:
        before, connection.info[VERSION] = connection.info[VERSION], _version(connection)
        is_same = before == connection.info[VERSION] and connection.info[IS_FILE]
        return (
            [] if is_same else ["something"]
        )  # in memory there may be but one connection, which writes itself

    def leave(self, connection: Connection) -> None:
        """It is as any other."""


def _version(connection: Connection) -> int:
    driver: Any = connection.connection.dbapi_connection
    (found,) = driver.execute("PRAGMA data_version").fetchone()
    return int(found)


class SQLite(Dialect):
    """See `Dialect`."""

    title = "SQLite"
    also_called = frozenset({"file", "sqlite3"})
    plain_address = "sqlite:///"
    away_hint = "does its folder exist, may it be written, and is there room?"
    async_driver = "aiosqlite"
    locks_rows = False
    compares_rows = False
    joins_sideways = False
    writes_in_queries = False
    has_schemas = False
    row_id = Integer()  # nothing else is numbered automatically
    begin = "BEGIN IMMEDIATE"
    check_now = None
    lists_unmet = text("PRAGMA foreign_key_check")
    notifier = Versions()

    def engine(
        self, url: URL, *, sqlite_journal: str | None, idle_limit: float, pool: Mapping[str, Any] = NO_OPTIONS
    ) -> Engine:
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT}, **_pool(url, pool))

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: object) -> None:
            if sqlite_journal is not None:
                # Another process may hold the file while the mode is changed; it is set already, then.
                connection.execute("PRAGMA busy_timeout=5000")
                _set_journal(connection, sqlite_journal)
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")

        return engine

    def is_pooled(self, db: Connection) -> bool:
        """There is no server."""
        return False

    def free_connections(self, db: Connection) -> int | None:
        """Whoever may open the file has one."""
        return None

    def before_begin(self, connection: Connection) -> None:
        """There is one level."""

    def is_over(self, driver_connection: Any) -> bool:
        return not driver_connection.in_transaction

    def now(self, db: Connection) -> float:
        """The machine's: all of its processes are on one."""
        return time.time()

    def be_brief(self, db: Connection) -> None:
        """The engine never waits for long."""

    @contextmanager
    def limit(self, db: Connection, seconds: float) -> Iterator[None]:
        """All statements of the block together: SQLite does not say when one begins."""
        connection: Any = db.connection.driver_connection
        end = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > end, INSTRUCTIONS)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)

    def took_too_long(self, error: DBAPIError) -> bool:
        return str(error.orig) == "interrupted"

    def read_by_index(self, db: Connection) -> None:
        """It does."""

    def lock_migrations(self, db: Connection, lock: int) -> None:
        """There is one writer."""

    def settings(self, db: Connection) -> Mapping[str, str]:
        """Nothing that is set in a transaction changes what others do in it."""
        return {}

    def set_back_session(self, db: Connection, before: Mapping[str, str]) -> None:
        """Nothing was noted."""

    def set_back_in_transaction(self, db: Connection, before: Mapping[str, str]) -> None:
        """Nothing was noted."""

    def make_tables_in(self, db: Connection, schema: str) -> None:
        """There are none."""

    def says_conflict(self, error: BaseException | None) -> bool:
        return any(said in str(error) for said in _BUSY)

    def could_not_connect(self, error: DBAPIError) -> bool:
        """There is no server."""
        return False

    def rows(self, **types: type[TypeEngine[Any]]) -> Rows:
        return JsonRows(types)

    def insert(self, table: Table) -> Any:
        return sqlite.insert(table)

    def inserted_all(self, result: CursorResult[Any], count: int) -> bool:
        """The driver counts when they are read."""
        return False

    def new_ids(self, db: Connection, column: Column[int], count: int) -> list[int]:
        given = {"count": count, "name": column.table.name}
        last = db.execute(_ADVANCE, given).scalar() or db.execute(_BEGIN, given).scalar_one()
        return list(range(last - count + 1, last + 1))

    def first_line(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        end = func.instr(column, "\n")
        return case((end > 0, func.substr(column, 1, end - 1)), else_=column)

    def file(self, db: Connection) -> Path | None:
        row = db.exec_driver_sql("PRAGMA database_list").first()
        return Path(row[2]) if row is not None and row[2] else None

    def is_missing(self, address: URL) -> bool:
        return (
            _is_file(address)
            and Path(str(address.database)).parent.is_dir()
            and not Path(str(address.database)).exists()
        )

    def journal(self, db: Connection) -> str | None:
        journal: str | None = db.exec_driver_sql("PRAGMA journal_mode").scalar()
        return journal


def _is_file(address: URL) -> bool:
    path = address.database
    return path not in (None, "", ":memory:") and not str(path).startswith("file:")


def _pool(address: URL, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A file has as many connections as are asked for, and not fewer than SQLAlchemy would keep."""
    if address.query.get("mode") == "memory":  # its name is shared by the connections of this process
        return {"poolclass": QueuePool}
    if not _is_file(address) or "pool_size" not in asked:
        return {}
    return {**asked, "pool_size": max(LEAST, asked["pool_size"])}


def _set_journal(connection: Any, journal: str) -> None:
    """Several processes may change it at once; then SQLite refuses all but one, and does not always wait."""
    end = time.monotonic() + JOURNAL_TIMEOUT
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode={journal}")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(BUSY_TIMEOUT)
        else:
            return


DIALECT = SQLite()
