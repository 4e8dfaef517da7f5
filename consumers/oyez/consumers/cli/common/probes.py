"""Is the service there? One question, and a clear answer within seconds, before anything is begun."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from oyez.producers.database_errors import one_line
from oyez.producers.passwords import shown

from ...database import Database
from ...database.dialects.lookup import dialect_named
from ...database.migrating import MigrationNeeded, require
from ...logs.backend import LogBackend, LogUnreachable
from ...run.clock_check import require_clock
from ...run.engines import MakeEngine, engine_from
from ...settings import ListenSettings
from .errors import Unreachable


def database(settings: ListenSettings) -> None:
    """Raise `Unreachable` unless the database answers, and `MigrationNeeded` unless it has our tables."""
    address = make_url_or_fail(settings)
    if dialect_named(address.get_backend_name()).is_missing(address):
        raise MigrationNeeded(f"the database {shown(address)} does not exist; run: oyez db upgrade")
    engine = reached(settings)
    try:
        require(engine)
    finally:
        engine.dispose()


def clock(settings: ListenSettings) -> None:
    """Raise `ClockWrong` unless this machine's clock is near the database's, which answers."""
    engine = reached(settings)
    try:
        require_clock(Database(engine), settings.max_clock_skew)
    finally:
        engine.dispose()


@contextmanager
def engine_of(settings: ListenSettings, make: MakeEngine = engine_from) -> Iterator[Engine]:
    """The engine of the database, which answers and has our tables; it is closed at the end. Raises as `database`."""
    database(settings)
    engine = reached(settings, make)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def connected(settings: ListenSettings) -> Iterator[Connection]:
    """A connection to it for single queries: no transaction is open while what they find is printed."""
    with engine_of(settings) as engine, Database(engine).reading() as db:
        yield db


def reached(settings: ListenSettings, make: MakeEngine = engine_from) -> Engine:
    """An engine whose database answers; raises `Unreachable`."""
    engine = make(settings)
    try:
        with engine.connect():
            return engine
    except DBAPIError as error:
        engine.dispose()
        hint = dialect_named(engine.dialect.name).away_hint
        raise Unreachable(
            f"the database {shown(engine.url)} cannot be reached: {one_line(error)}; {hint}"
        ) from None


def make_url_or_fail(settings: ListenSettings) -> URL:
    """The database's address; raises `DatabaseError` if it cannot be used."""
    engine = engine_from(settings)
    engine.dispose()
    return engine.url


def kafka(settings: ListenSettings) -> None:
    """Raise `Unreachable` unless a broker answers, whatever the transport."""
    from ...logs.kafka.backend import KafkaBackend  # noqa: PLC0415 # whoever has another log has no client of Kafka

    reached_log(KafkaBackend(settings))


def reached_log(backend: LogBackend) -> None:
    """Raise `Unreachable` unless the log answers."""
    try:
        backend.probe()
    except LogUnreachable as error:
        raise Unreachable(str(error)) from None
