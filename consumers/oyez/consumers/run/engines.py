"""The database that is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from ..database.dialects.dialect import NO_OPTIONS
from ..database.engine import Database, make_async_engine, make_engine
from ..database.notices import Notices
from ..retry.wakeups import notices_of
from ..settings import ListenSettings
from .connections import GIVE_BACK


def engine_from(settings: ListenSettings, pool: Mapping[str, Any] = NO_OPTIONS) -> Engine:
    """The engine of the database that is set; ``pool``: options for its connections."""
    return make_engine(
        settings.database,
        sqlite_journal=settings.sqlite_journal,
        idle_limit=settings.idle_in_transaction,
        schema=settings.database_schema,
        pool=pool,
    )


def lane_engine_from(settings: ListenSettings, lanes: int, *, asynchronous: bool) -> Engine:
    """The engine of so many lanes, each with a connection as long as it runs something. Those that hang keep theirs,
    and one more chooses what is run."""
    make = make_async_engine if asynchronous else make_engine
    return make(
        settings.database,
        sqlite_journal=settings.sqlite_journal,
        idle_limit=settings.idle_in_transaction,
        schema=settings.database_schema,
        pool={"pool_size": lanes, "max_overflow": lanes + 2},
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
