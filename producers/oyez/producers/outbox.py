"""The outbox: events that were announced in a database transaction, and leave once it is committed.

Whoever ships them takes them in the order of their ids. A number is never given twice, also not after its row
was deleted, so that what deletes by number can never delete what it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError, UnboundExecutionError

from .database_errors import cause_of, one_line
from .errors import TransportRefused
from .passwords import shown

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from .scheduling import Scheduled
    from .transport import Database

NAME = "oyez_outbox"
SCHEDULED = "oyez_scheduled"
CHANNEL = "oyez"
"""The channel on which PostgreSQL tells workers what there is to do."""
UNDEFINED, FORBIDDEN = "42P01", "42501"
"""PostgreSQL's states for what is not there, and for what a role may not do."""
NOTICE = "outbox"
"""What is told there when something was announced in an application's transaction."""

SCHEMA = "__oyez_schema__"
"""The schema that Oyez's tables are declared with, in statements that are built once. No database is asked for it."""

table = Table(
    NAME,
    MetaData(schema=SCHEMA),
    # SQLite gives automatic numbers to INTEGER primary keys only.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("key", Text),
    Column("value", LargeBinary, nullable=False),
    Column("announced_at", Double, nullable=False),
    Column("refused", Text),
    sqlite_autoincrement=True,
)

scheduled = Table(
    SCHEDULED,
    MetaData(schema=SCHEMA),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("due_at", Double, nullable=False),
    Column("scheduled_at", Double, nullable=False),
    Column("signal", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text),
    Column("subject", Text),
    Column("value", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""What is announced later: it is moved into the outbox when it is due."""

INSERT: Insert = insert(table).inline()
"""Inserts rows as `row` makes them, one or many."""
SCHEDULE: Insert = insert(scheduled).inline()
"""Inserts rows as `Scheduled.row` makes them, one or many."""


def row(topic: str, key: bytes | None, value: bytes, now: float) -> dict[str, Any]:
    """One event as it is inserted; `now` in seconds since the epoch."""
    return {"topic": topic, "key": None if key is None else key.decode(), "value": value, "announced_at": now}


_TABLES = {NAME: table, SCHEDULED: scheduled}


@cache
def inserting(schema: str, name: str = NAME) -> Insert:
    """Inserts a row there, into the outbox or among what is scheduled."""
    there = _TABLES[name].to_metadata(MetaData(), schema=schema)
    given = [column.name for column in there.c if column.name not in ("id", "refused")]
    return insert(there).inline().values({name: bindparam(name) for name in given})


@cache
def inserting_and_telling(schema: str, name: str = NAME) -> Select[Any]:
    """The same, and tells PostgreSQL's listeners when that is committed."""
    return select(func.pg_notify(CHANNEL, NOTICE)).add_cte(inserting(schema, name).cte("written"))


NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""PostgreSQL's time; SQLite has that of the machine."""


class Outbox:
    """Takes events as part of their callers' transactions, for transports that know nothing of databases."""

    def __init__(self, clock: Callable[[], int], schema: str | None = None) -> None:
        """`clock` gives nanoseconds since the epoch; `schema` is the tables', if it is not the database's usual one."""
        self._clock = clock
        self._schema = schema

    def send_in(self, db: Database, topic: str, key: bytes | None, value: bytes) -> None:
        """Take one event. TransportRefused: the database does not, or `db` is none."""
        self._write(db, NAME, row(topic, key, value, self._clock() / 1e9))

    def schedule_in(self, db: Database, event: Scheduled) -> None:
        """Take one that is announced later. TransportRefused: as above."""
        self._write(db, SCHEDULED, event.row())

    def now_in(self, db: Database) -> float:
        """The database's time, in seconds since the epoch. TransportRefused: as above."""
        connection = _connection(db)
        if connection.dialect.name != "postgresql":
            return self._clock() / 1e9
        try:
            return float(connection.execute(text(NOW)).scalar_one())
        except SQLAlchemyError as error:
            raise TransportRefused(f"the database does not say its time: {one_line(error)}") from error

    def _write(self, db: Database, name: str, written: dict[str, Any]) -> None:
        connection = _connection(db)
        there = _place(connection, self._schema)
        statement = inserting_and_telling if connection.dialect.name == "postgresql" else inserting
        try:
            connection.execute(statement(there, name), written, execution_options=_NO_MAP)
        except SQLAlchemyError as error:
            raise TransportRefused(_reason(error, connection, there, name)) from error


def _connection(db: Database) -> Connection:
    from sqlalchemy.orm import Session, scoped_session  # noqa: PLC0415 # only who gives a session needs the ORM

    if isinstance(db, scoped_session):
        db = db()
    if isinstance(db, Session):
        return _connection_of(db)
    if isinstance(db, Connection):
        return db
    raise TransportRefused(
        f"db= must be a SQLAlchemy Session or Connection, in whose transaction it goes; not {type(db).__name__}"
    )


def _connection_of(session: Session) -> Connection:
    """The one of its transaction, which may have failed before, or not have begun yet."""
    try:
        return session.connection()
    except UnboundExecutionError:
        raise TransportRefused(
            "the session has a database for each of some tables, none for all: pass the connection of the one that has "
            f"{NAME}: db=session.connection(bind_arguments=…)"
        ) from None
    except SQLAlchemyError as error:
        raise TransportRefused(f"the database did not take it: {one_line(error)}") from error


_MAP = "schema_translate_map"
_NO_MAP: dict[str, Any] = {_MAP: {}}


def _place(db: Connection, schema: str | None) -> str:
    """The schema that the outbox is in: the one that is set, or in which a new connection makes tables, whatever the
    search path of the moment is. The caller's map of schemas may lead elsewhere."""
    theirs = db.get_execution_options().get(_MAP) or {}
    return theirs.get(schema, schema) or db.dialect.default_schema_name or ""


def _reason(error: SQLAlchemyError, db: Connection, there: str, table: str) -> str:
    said = one_line(error)
    state = getattr(cause_of(error), "sqlstate", None)
    name = f"{there}.{table}"
    if table in said and ("no such table" in said or state == UNDEFINED):
        elsewhere = ", or set OYEZ_SCHEMA to where it is" if state == UNDEFINED else ""
        return (
            f"the database {shown(db.engine.url)} has no table {name}; set OYEZ_DATABASE to this database and run: "
            f"oyez db upgrade{elsewhere}"
        )
    if state == FORBIDDEN:
        return (
            f"the database did not take it: {said}; the role of this transaction needs USAGE on the schema {there}, "
            f"INSERT on {name}, and USAGE on the sequence {name}_id_seq"
        )
    return f"the database did not take it: {said}"
