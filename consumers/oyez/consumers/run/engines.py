"""The database that is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine

from ..database.dialects.dialect import NO_OPTIONS
from ..database.engine import Database, make_async_engine, make_engine
from ..database.notices import Notices
from ..retry.wakeups import notices_of
from ..settings import ListenSettings
from .connections import GIVE_BACK

MakeEngine = Callable[[ListenSettings], Engine]
"""Makes an engine of the database that is set."""


def engine_from(settings: ListenSettings, pool: Mapping[str, Any] = NO_OPTIONS) -> Engine:
    """The engine of the database that is set; ``pool``: options for its connections. An SQLite file is taken as it is:
    the journal mode stays in it, and whoever looks or operates may not have the settings of those who work."""
    return _made(make_engine, settings, None, pool)


def journaling_engine_from(settings: ListenSettings, pool: Mapping[str, Any] = NO_OPTIONS) -> Engine:
    """The same for those who work, announce, or make the tables: the journal mode is set to what is set."""
    return _made(make_engine, settings, settings.sqlite_journal, pool)


def lane_engine_from(settings: ListenSettings, lanes: int, *, asynchronous: bool) -> Engine:
    """The engine of so many lanes, each with a connection as long as it runs something. Those that hang keep theirs,
    and one more chooses what is run."""
    make = make_async_engine if asynchronous else make_engine
    return _made(make, settings, settings.sqlite_journal, _of_lanes(lanes))


def awaiting_engine_from(settings: ListenSettings) -> Engine:
    """The engine for `async def` handlers that run one by one, where somebody operates: see `engine_from`."""
    return _made(make_async_engine, settings, None, _of_lanes(1))


def _of_lanes(lanes: int) -> Mapping[str, Any]:
    return {"pool_size": lanes, "max_overflow": lanes + 2}


def _made(
    make: Callable[..., Engine], settings: ListenSettings, journal: str | None, pool: Mapping[str, Any]
) -> Engine:
    return make(
        settings.database,
        sqlite_journal=journal,
        idle_limit=settings.idle_in_transaction,
        schema=settings.database_schema,
        pool=pool,
    )


def notices_from(settings: ListenSettings, database: Database) -> Notices | None:
    """What the database notifies, over the address at which no pooler is between, if that is set."""
    return notices_of(_hearing_from(settings, database))


def _hearing_from(settings: ListenSettings, database: Database) -> Database:
    if settings.database_direct is None:
        return database
    return Database(
        make_engine(settings.database_direct, idle_limit=settings.idle_in_transaction, pool=GIVE_BACK)
    )
