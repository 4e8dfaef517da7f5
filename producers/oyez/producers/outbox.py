"""The outbox: events that were announced in a database transaction, and leave once it is committed.

Whoever ships them takes them in the order of their ids. A number is never given twice, also not after its row
was deleted, so that what deletes by number can never delete what it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError, UnboundExecutionError

from .database_errors import cause_of, one_line
from .errors import TransportRefused
from .passwords import shown

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from .transport import Database

NAME = "oyez_outbox"
CHANNEL = "oyez"
"""The channel on which PostgreSQL tells workers what there is to do."""
NOTICE = "outbox"
"""What is told there when something was announced in an application's transaction."""

table = Table(
    NAME,
    MetaData(),
    # SQLite gives automatic numbers to INTEGER primary keys only.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("key", Text),
    Column("value", LargeBinary, nullable=False),
    Column("announced_at", Double, nullable=False),
    Column("refused", Text),
    sqlite_autoincrement=True,
)

INSERT: Insert = insert(table).inline()
"""Inserts rows as `row` makes them, one or many."""


def row(topic: str, key: bytes | None, value: bytes, now: float) -> dict[str, object]:
    """One event as it is inserted; `now` in seconds since the epoch."""
    return {"topic": topic, "key": None if key is None else key.decode(), "value": value, "announced_at": now}


_GIVEN = row("", None, b"", 0.0)
_written = insert(table).inline().values({name: bindparam(name) for name in _GIVEN}).cte("written")
_INSERT_AND_TELL = select(func.pg_notify(CHANNEL, NOTICE)).add_cte(_written)


class Outbox:
    """Takes events as part of their callers' transactions, for transports that know nothing of databases."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """`clock` gives nanoseconds since the epoch."""
        self._clock = clock

    def send_in(self, db: Database, topic: str, key: bytes | None, value: bytes) -> None:
        """Take one event. TransportRefused: the database does not, or `db` is none."""
        written = row(topic, key, value, self._clock() / 1e9)
        connection = _connection(db)
        try:
            if connection.dialect.name == "postgresql":
                connection.execute(_INSERT_AND_TELL, written)
            else:
                connection.execute(INSERT, written)
        except SQLAlchemyError as error:
            raise TransportRefused(_reason(error, connection)) from error


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


def _reason(error: SQLAlchemyError, db: Connection) -> str:
    said = one_line(error)
    if NAME in said and ("no such table" in said or getattr(cause_of(error), "sqlstate", None) == "42P01"):
        return f"the database {shown(db.engine.url)} has no table {NAME}; run: oyez db upgrade"
    return f"the database did not take it: {said}"
