"""Engines and transactions, their conflicts and lost connections."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, select
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NoSuchModuleError

from oyez.producers.database_errors import one_line
from oyez.schemas import OyezError

from .address import read_address, unreadable
from .connection import HandlerConnection
from .dialects.dialect import NO_OPTIONS, Notifier
from .dialects.errors import DatabaseError
from .dialects.lookup import all_dialects, dialect_named, dialect_of
from .schema import put_tables_in

T = TypeVar("T")
C = TypeVar("C", bound=Connection)
E = TypeVar("E", bound=Exception)

PATIENCE = 5.0  # s that a process which was told to stop still waits for others


class DatabaseAway(OyezError):
    """The database cannot be reached, or stayed busy for too long."""


class ConnectionLost(DatabaseAway):
    """The connection was lost; whether the database is away as well, a new one will show."""


class DatabaseRefuses(DatabaseAway):
    """The database refuses a statement of Oyez's own: its disk is full, it is read-only, a limit of time is over, … It
    is as good as away, and no event is to blame."""


def make_engine(
    url: str,
    *,
    sqlite_journal: str | None = "wal",
    idle_limit: float = 60.0,
    schema: str | None = None,
    pool: Mapping[str, Any] = NO_OPTIONS,
) -> Engine:
    """An engine for Oyez's own processes; applications may bring their own instead.

    ``sqlite_journal``: the journal mode that an SQLite file is set to, for good; None: it is taken as it is.
    ``idle_limit``: seconds after which PostgreSQL ends a transaction whose process does nothing. ``schema``: of Oyez's
    tables; None: the one in which a new connection makes tables. ``pool``: SQLAlchemy's options for a server's
    connections.

    Raises `DatabaseError` for an address that cannot be read, another database, a missing driver, or a schema where
    there are none.
    """
    address = read_address(url)
    return _made(address, sqlite_journal=sqlite_journal, idle_limit=idle_limit, schema=schema, pool=pool)


def make_async_engine(
    url: str,
    *,
    sqlite_journal: str | None = "wal",
    idle_limit: float = 60.0,
    schema: str | None = None,
    pool: Mapping[str, Any] = NO_OPTIONS,
) -> Engine:
    """The same over the database's asynchronous driver, to be used where `greenlet_spawn` has been called.

    Raises `DatabaseError`, also where what that needs is not installed.
    """
    address = read_address(url)
    dialect = dialect_named(address.get_backend_name())
    if dialect.async_driver is None:
        raise DatabaseError(
            f"async def handlers cannot be run over {dialect.title}; write them as a plain def"
        )
    if find_spec("greenlet") is None:
        raise DatabaseError("async def handlers need greenlet, which is not installed; install oyez[async]")
    address = address.set(drivername=f"{address.get_backend_name()}+{dialect.async_driver}")
    return _made(address, sqlite_journal=sqlite_journal, idle_limit=idle_limit, schema=schema, pool=pool)


def _made(
    address: URL,
    *,
    sqlite_journal: str | None,
    idle_limit: float,
    schema: str | None,
    pool: Mapping[str, Any],
) -> Engine:
    try:
        dialect = dialect_named(address.get_backend_name())
        if schema is not None and not dialect.has_schemas:
            raise DatabaseError(
                f"{dialect.title} has no schemas; do not set OYEZ_SCHEMA, which is {schema!r}"
            )
        engine = dialect.engine(address, sqlite_journal=sqlite_journal, idle_limit=idle_limit, pool=pool)
        put_tables_in(engine, schema)
        return engine
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise unreadable(error) from None
    except ModuleNotFoundError as error:
        raise DatabaseError(
            f"the database driver {error.name} is not installed; install it, or install oyez[postgres] and write "
            f"postgresql+psycopg:// (oyez[async] has what async def handlers need)"
        ) from error


def raise_for_database(error: BaseException, db: Connection) -> None:
    """Raise what is not the fault of the handler that raised ``error``: the lost connection or another
    transaction in the way, also when the handler wrapped it. A single writer, once begun, is in nobody's way.
    """
    if db.invalidated:
        raise _lost(error) from error
    conflict = dialect_of(db).conflict_in(error)
    if conflict is not None:
        raise conflict


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, so that nothing can be said of the statement or the handler."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def could_not_connect(error: DBAPIError) -> bool:
    """Whether an error, of whichever database, only says that there is no connection, or no more."""
    return is_lost(error) or any(dialect.could_not_connect(error) for dialect in all_dialects())


def _away(error: DBAPIError) -> DatabaseAway:
    return DatabaseAway(f"the database does not answer: {one_line(error)}")


def _lost(error: BaseException) -> ConnectionLost:
    return ConnectionLost(f"the connection to the database was lost: {one_line(error)}")


class Database:
    """The user's database, in transactions at READ COMMITTED, or with one writer at a time. ``dialect`` knows which.

    Raises `DatabaseError` for an engine of a database that nobody knows.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        timeout: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        stopping: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``stopping``: for how many seconds this process has been told to stop."""
        put_tables_in(engine, None)
        self.engine = engine
        self.dialect = dialect_named(engine.dialect.name)
        self._sleep = sleep
        self._jitter = jitter
        self._timeout = timeout
        self._clock = clock
        self._stopping = stopping
        self.losses = 0
        """How often it was found to be away."""

    @contextmanager
    def transaction(self) -> Iterator[HandlerConnection]:
        """One transaction of Oyez's own: committed at the end of the block, rolled back by any exception.

        Raises `DatabaseAway` when there is no connection to be had, when it is lost, or when a statement is refused.
        """
        try:
            with self.handling() as db:
                yield db
        except DBAPIError as error:
            raise self._counted(self.refusal(error)) from error

    @contextmanager
    def handling(self) -> Iterator[HandlerConnection]:
        """The same for one in which handlers run: what is refused may be their fault, and is raised as it is."""
        connection = self._connected(partial(HandlerConnection, self.engine))
        try:
            try:
                self.dialect.before_begin(connection)
                with connection.begin():
                    connection.begin_at_once()
                    yield connection
            finally:
                connection.release()
        except (DBAPIError, DatabaseAway) as error:
            if is_lost(error):
                raise self._counted(_lost(error)) from error
            self._counted(error)
            raise
        if "calls" in connection.__dict__:
            connection.after_commit.run()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for single queries, outside of any transaction; raises as `transaction` does, and also
        when a writer kept SQLite's file locked."""
        connection = self._connected(self.engine.connect)
        try:
            with connection:
                yield connection.execution_options(isolation_level="AUTOCOMMIT")
        except DatabaseAway as error:
            self._counted(error)
            raise
        except DBAPIError as error:
            meant = _away(error) if is_lost(error) or self.is_conflict(error) else self.refusal(error)
            raise self._counted(meant) from error

    def is_conflict(self, error: BaseException) -> bool:
        """Whether another transaction was in the way: running the same again may well succeed."""
        return self.dialect.is_conflict(error)

    def refusal(self, error: DBAPIError) -> DatabaseAway | DBAPIError:
        """What an error means that a statement of Oyez's own has met: the error itself if another transaction was in
        the way, or if it is about the values that were given; else the database is away."""
        if isinstance(error, DataError | IntegrityError) or self.is_conflict(error):
            return error
        if is_lost(error):
            return _lost(error)
        return DatabaseRefuses(f"the database refuses what Oyez asks of it: {one_line(error)}")

    def _connected(self, connect: Callable[[], C]) -> C:
        """A missing connection says nothing of what was to be done with it."""
        try:
            return connect()
        except DBAPIError as error:
            raise self._counted(_away(error)) from error

    def _counted(self, error: E) -> E:
        """The same error, counted if it says that the database is away."""
        if isinstance(error, DatabaseAway):
            self.losses += 1
        return error

    def listening(self, notifier: Notifier, channel: str) -> Connection:
        """A connection that hears a channel; the caller closes it. Raises as `transaction` does, and `DatabaseAway`
        where a pooler is between."""
        try:
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if self.dialect.is_pooled(connection):
                connection.close()
                raise DatabaseAway("nothing is heard through a connection pooler: set OYEZ_DATABASE_DIRECT")
            notifier.listen(connection, channel)
            return connection
        except DBAPIError as error:
            raise _away(error) from error

    def repeat(self, work: Callable[[HandlerConnection], T]) -> T:
        """Run ``work`` in a transaction, again whenever another one was in the way; `DatabaseAway` after 30 s, or when
        it `gives_up`."""
        began = self._clock()
        while True:
            try:
                with self.transaction() as db:
                    return work(db)
            except DBAPIError as error:
                if not self.is_conflict(error):
                    raise
                waited = self._clock() - began
                if waited > self._timeout or self.gives_up():
                    raise self._counted(
                        DatabaseAway(f"the database stayed busy for {waited:.0f} s: {error.orig}")
                    ) from error
            self._sleep(self.pause())

    def gives_up(self) -> bool:
        """Whether whatever is in the way is not waited for any more: this process has to stop."""
        return self._stopping() >= PATIENCE

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
