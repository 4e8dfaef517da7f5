"""What a database does in a way of its own. Whoever asks for it asks here, and never for the database's name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Select,
    Table,
    TextClause,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.types import TypeEngine

from .rows import Rows

NO_OPTIONS: Mapping[str, Any] = {}


class Answer(NamedTuple):
    """What a statement has found, and how many rows it has changed."""

    rows: Sequence[Any]
    changed: int


class Notifier(Protocol):
    """How a database tells its connections something at once."""

    tells_what: bool
    """Whether it says what was sent; otherwise only that something was written, by whomever."""

    def notify(self, db: Connection, channel: str, messages: Iterable[str]) -> None:
        """Send messages when the transaction commits."""

    def listen(self, connection: Connection, channel: str) -> None:
        """Let a connection hear a channel from now on."""

    def heard(self, connection: Connection) -> list[str]:
        """What was sent since the last look, or anything. Never waits; raises the driver's error when the connection is
        lost."""

    def leave(self, connection: Connection) -> None:
        """It hears no more, and is about to be closed."""


class Dialect(ABC):
    """One kind of database. A new one is one subclass, registered under SQLAlchemy's name for it: see `lookup`.

    Statements that many rows are given to are built once for each dialect, so an object of it can be a cache's key.
    """

    title: str
    """The database's own name, for messages."""
    also_called: frozenset[str] = frozenset()
    """What others call it at the beginning of an address, and SQLAlchemy does not."""
    plain_address: str
    """How an address with a driver that works begins."""
    away_hint: str
    """What to look at when it does not answer, for messages."""
    async_driver: str | None = None
    """SQLAlchemy's name for the driver that `async def` handlers are run over; None where there is none."""
    locks_rows: bool
    """Whether transactions write side by side, and each locks the rows that it writes: then a conflict may come at any
    statement. Otherwise one writer has the whole database, and conflicts only with the begin of another one."""
    compares_rows: bool
    """Whether an index is gone by in a comparison of several columns at once, also where one is the primary key."""
    joins_sideways: bool
    """Whether the right side of a join may depend on its left one (LATERAL)."""
    writes_in_queries: bool
    """Whether an UPDATE may be part of another statement (a common table expression)."""
    has_schemas: bool
    """Whether tables are in schemas, which may be made."""
    row_id: TypeEngine[int]
    """The type of a primary key that is numbered automatically."""
    begin: str | None
    """The statement that begins a transaction, where the driver does so only before the first write; else None."""
    check_now: TextClause | None
    """The statement that checks now what is otherwise checked at the commit; None where nothing is."""
    lists_unmet: TextClause | None = None
    """The query that lists what such a check would refuse, where none can be made before the commit: table, row, the
    table that it names, and by which key. It may list what was wrong before."""
    notifier: Notifier | None
    """None: workers look from time to time."""

    @abstractmethod
    def engine(
        self, url: URL, *, sqlite_journal: str | None, idle_limit: float, pool: Mapping[str, Any] = NO_OPTIONS
    ) -> Engine:
        """An engine for Oyez's own processes; see `make_engine`."""

    @abstractmethod
    def is_pooled(self, db: Connection) -> bool:
        """Whether the server at the other end is a connection pooler, which may lend out another one each time."""

    @abstractmethod
    def free_connections(self, db: Connection) -> int | None:
        """How many connections can be had beside those that are open; None if that has no limit, or is not known."""

    @abstractmethod
    def before_begin(self, connection: Connection) -> None:
        """Set what a transaction needs to be set before it begins: READ COMMITTED, where there are several levels."""

    @abstractmethod
    def is_over(self, driver_connection: Any) -> bool:
        """Whether the driver's connection is in no transaction, or in one that accepts nothing but its end."""

    @abstractmethod
    def now(self, db: Connection) -> float:
        """The time by the one clock that everybody who uses the database has in common, in seconds since the epoch."""

    def abort(self, driver_connection: Any) -> None:  # noqa: B027 # most need it not
        """From another thread: let what the connection waits for come back, as lost. Nothing where it never waits."""

    @abstractmethod
    def be_brief(self, db: Connection) -> None:
        """In this transaction do not wait for long for a row that somebody has locked."""

    @contextmanager
    def limit(self, db: Connection, seconds: float) -> Iterator[None]:
        """In this transaction, until the end of the block, let no statement take longer: see `took_too_long`. Nothing
        where that cannot be done."""
        yield

    def took_too_long(self, error: DBAPIError) -> bool:
        """Whether a statement was ended since it had taken as long as it may."""
        return False

    @abstractmethod
    def read_by_index(self, db: Connection) -> None:
        """In this transaction read rows by an index, in its order, wherever there is one: a table's statistics may be
        of a time when it was empty, or missing. For transactions in which no handler runs."""

    @abstractmethod
    def lock_migrations(self, db: Connection, lock: int) -> None:
        """Let nobody else migrate until this transaction ends."""

    @abstractmethod
    def settings(self, db: Connection) -> Mapping[str, str]:
        """What is set for this session or its transaction beside what a new connection has."""

    @abstractmethod
    def set_back_session(self, db: Connection, before: Mapping[str, str]) -> None:
        """Set everything as it was when this transaction, which is Oyez's own, began."""

    @abstractmethod
    def set_back_in_transaction(self, db: Connection, before: Mapping[str, str]) -> None:
        """The same in a transaction of somebody else's, for the rest of it."""

    @abstractmethod
    def make_tables_in(self, db: Connection, schema: str) -> None:
        """In this transaction make what names no schema in this one, where there are schemas."""

    def is_conflict(self, error: BaseException | None) -> bool:
        """Whether another transaction was in the way: running the same again may well succeed."""
        return isinstance(error, DBAPIError) and self.says_conflict(error.orig)

    def conflict_in(self, error: BaseException) -> DBAPIError | None:
        """The conflict that an error is, or that led to it: the handler may have wrapped it, or spoken with the driver
        by itself or by another library."""
        cause: BaseException | None = error
        while cause is not None and self.locks_rows:
            if isinstance(cause, DBAPIError) and self.is_conflict(cause):
                return cause
            if self.says_conflict(cause):
                return OperationalError(None, None, cause)
            cause = cause.__cause__ or cause.__context__
        return None

    @abstractmethod
    def says_conflict(self, error: BaseException | None) -> bool:
        """The same, for the driver's own error."""

    @abstractmethod
    def could_not_connect(self, error: DBAPIError) -> bool:
        """Whether an error only says that no connection was to be had."""

    @abstractmethod
    def rows(self, **types: type[TypeEngine[Any]]) -> Rows:
        """Columns, by name and type, of rows that are given to a statement in one parameter."""

    def is_one_of(self, column: ColumnElement[Any], query: Select[Any]) -> ColumnElement[bool]:
        """Whether a primary key is among those that a query finds, which are few."""
        return column.in_(query)

    @abstractmethod
    def insert(self, table: Table) -> Any:
        """An INSERT that has SQLAlchemy's ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""

    def ask(self, db: Connection, statement: Any, given: Mapping[str, object]) -> Answer:
        """Execute a statement of Oyez's own, whose values need nothing done to them on their way."""
        result = db.execute(statement, given)
        return Answer(result.all() if result.returns_rows else (), result.rowcount)

    def put(self, db: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
        """Insert rows, which all have the same columns, in their order, but for those that are there already by some
        key. Returns their ids in that order; nothing where it is not known which of them is whose."""
        db.execute(self.insert(table).on_conflict_do_nothing(), rows)
        return ()

    @abstractmethod
    def inserted_all(self, result: CursorResult[Any], count: int) -> bool:
        """Whether an INSERT with RETURNING is known to have inserted ``count`` rows, without reading them."""

    @abstractmethod
    def new_ids(self, db: Connection, column: Column[int], count: int) -> list[int]:
        """So many ids of a table with automatic numbers, in order; no row gets them, or one before them, any more."""

    @abstractmethod
    def first_line(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """A text up to its first line break."""

    @abstractmethod
    def file(self, db: Connection) -> Path | None:
        """The file that the database is, if it is one."""

    @abstractmethod
    def is_missing(self, address: URL) -> bool:
        """Whether the database is known not to exist, though it could be made."""

    @abstractmethod
    def journal(self, db: Connection) -> str | None:
        """How the database keeps its journal, where that can be chosen."""
