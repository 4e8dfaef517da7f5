"""Engines and transactions: one place that knows what PostgreSQL and SQLite need at the start and after a failure."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from oyez.schemas import OyezError

from .connection import HandlerConnection

T = TypeVar("T")

SUPPORTED = ("postgresql", "sqlite")
CONFLICTS = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
LIBPQ_DRIVERS = ("psycopg", "psycopg2")
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
BUSY_TIMEOUT = 0.05  # s; a long one starves a process among several: our own retry, with jitter, does not
JOURNAL_PATIENCE = 5.0  # s


class DatabaseError(OyezError):
    """The database cannot be used as it is set."""


class DatabaseAway(OyezError):
    """The database cannot be reached, or stayed busy for too long."""


class ConnectionLost(DatabaseAway):
    """The connection was lost; whether the database is away as well, a new one will show."""


def make_engine(url: str, *, sqlite_journal: str = "wal", idle_limit: float = 60.0) -> Engine:
    """An engine for Oyez's own processes; applications may bring their own instead.

    ``idle_limit``: seconds after which PostgreSQL ends a transaction whose process does nothing.

    Raises `DatabaseError` for an address that cannot be read, another database, or a missing driver.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() not in SUPPORTED:
            raise DatabaseError(f"database {address.get_backend_name()}: Oyez works on PostgreSQL and SQLite")
        _refuse_async(address)
        if address.get_backend_name() == "sqlite":
            return _sqlite(url, sqlite_journal)
        return _postgresql(url, idle_limit)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        # The address may have a password in it.
        raise DatabaseError(f"the database address (OYEZ_DATABASE) cannot be read: {error}") from error
    except ModuleNotFoundError as error:
        raise DatabaseError(
            f"the database driver {error.name} is not installed; install it, or install oyez[postgres] and write "
            f"postgresql+psycopg://"
        ) from error


def _refuse_async(address: URL) -> None:
    if address.get_dialect().is_async:
        plain = "sqlite:///" if address.get_backend_name() == "sqlite" else "postgresql+psycopg://"
        raise DatabaseError(f"the database driver {address.drivername} is an asynchronous one; write {plain}")


def _postgresql(url: str, idle_limit: float) -> Engine:
    """A worker that is frozen or gone must not hold its locks: neither side waits for the other for ever."""
    libpq = make_url(url).get_driver_name() in LIBPQ_DRIVERS
    engine = create_engine(url, connect_args=LIBPQ if libpq else {}, pool_pre_ping=False)

    @event.listens_for(engine, "connect")
    def limit(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for name, value in {"idle_in_transaction_session_timeout": int(idle_limit * 1000), **SERVER}.items():
            cursor.execute(f"SET {name} = {value}")
        cursor.close()
        connection.commit()

    return engine


def _sqlite(url: str, journal: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Another process may hold the file while the mode is changed; it is set already, then.
        connection.execute("PRAGMA busy_timeout=5000")
        _set_journal(connection, journal)
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")

    return engine


def _set_journal(connection: Any, journal: str) -> None:
    """Several processes may change it at once; then SQLite refuses all but one, and does not always wait."""
    end = time.monotonic() + JOURNAL_PATIENCE
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode={journal}")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(BUSY_TIMEOUT)
        else:
            return


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction was in the way: running the same again may well succeed."""
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) in CONFLICTS or _is_busy(error)


def raise_for_database(error: BaseException, db: Connection) -> None:
    """Raise what is not the fault of the handler that raised ``error``: the lost connection or another
    transaction in the way, also when the handler wrapped it. SQLite's writer, once begun, is in nobody's way.
    """
    if db.invalidated:
        raise ConnectionLost(f"the connection to the database was lost: {one_line(error)}") from error
    cause: BaseException | None = error
    while cause is not None and db.dialect.name == "postgresql":
        if is_conflict(cause):
            raise cause
        cause = cause.__cause__ or cause.__context__


def one_line(error: BaseException) -> str:
    """An error's text in one line; for a database's error the database's own words."""
    return " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, so that nothing can be said of the statement or the handler."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


@contextmanager
def _or_away(is_away: Callable[[DBAPIError], bool]) -> Iterator[None]:
    """A missing connection says nothing of what was to be done with it."""
    try:
        yield
    except DBAPIError as error:
        if is_away(error):
            raise DatabaseAway(f"the database does not answer: {one_line(error)}") from error
        raise


@contextmanager
def _or_lost() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if is_lost(error):
            raise ConnectionLost(f"the connection to the database was lost: {one_line(error)}") from error
        raise


def _is_busy(error: DBAPIError) -> bool:
    return "database is locked" in str(error.orig) or "database table is locked" in str(error.orig)


class Database:
    """The user's database, in transactions at READ COMMITTED (SQLite: one writer, BEGIN IMMEDIATE)."""

    def __init__(
        self,
        engine: Engine,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        patience: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self._sleep = sleep
        self._jitter = jitter
        self._patience = patience
        self._clock = clock

    @contextmanager
    def transaction(self) -> Iterator[HandlerConnection]:
        """One transaction: committed at the end of the block, rolled back by any exception.

        Raises `DatabaseAway` when there is no connection to be had, or when it is lost.
        """
        with _or_away(lambda _: True):
            connection = HandlerConnection(self.engine)
        with _or_lost():
            try:
                if self.dialect == "postgresql":
                    connection.execution_options(isolation_level="READ COMMITTED")
                with connection.begin():
                    if self.dialect == "sqlite":
                        connection.start("BEGIN IMMEDIATE")
                    yield connection
            finally:
                connection.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for single queries, outside of any transaction; raises as `transaction` does, and also
        when a writer kept SQLite's file locked."""
        with _or_away(lambda _: True):
            connection = self.engine.connect()
        with _or_away(lambda error: is_lost(error) or is_conflict(error)), connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def listening(self, channel: str) -> Connection:
        """A connection to PostgreSQL that hears the NOTIFYs of a channel; the caller closes it. Raises as
        `transaction` does."""
        with _or_away(lambda _: True):
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(f"LISTEN {channel}")
            return connection

    def repeat(self, work: Callable[[HandlerConnection], T]) -> T:
        """Run ``work`` in a transaction, again whenever another one was in the way; `DatabaseAway` after 30 s."""
        limit = self._clock() + self._patience
        while True:
            try:
                with self.transaction() as db:
                    return work(db)
            except DBAPIError as error:
                if not is_conflict(error):
                    raise
                if self._clock() > limit:
                    raise DatabaseAway(
                        f"the database stayed busy for {self._patience:g} s: {error.orig}"
                    ) from error
            self._sleep(self.pause())

    def answers(self) -> bool:
        """Whether a new connection is to be had, and answers."""
        try:
            with self.reading() as db:
                db.execute(select(1))
        except DatabaseAway:
            return False
        return True

    def pause(self) -> float:
        """How long to wait, in seconds, before a transaction that met another one is tried again."""
        return 0.002 + 0.03 * self._jitter()
