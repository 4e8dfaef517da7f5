"""Migrations of Oyez's tables, by Alembic, which is imported only here and only when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, column, inspect, select, table
from sqlalchemy.schema import CreateSchema

from oyez.producers.passwords import shown
from oyez.schemas import OyezError

from .dialects.lookup import dialect_of
from .engine import Database
from .schema import schema_of

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "oyez_alembic_version"
HEAD = "0006"
"""The newest revision; a test compares it with the scripts, so that nothing but a migration needs Alembic."""


LOCK = 0x6F79657A
"""The lock that whoever migrates holds, in databases that number their locks."""


class MigrationNeeded(OyezError):
    """The database lacks Oyez's tables, or has those of another version."""


def current(engine: Engine) -> str | None:
    """The revision of the database; None before the first upgrade. Raises `DatabaseAway`."""
    with Database(engine).reading() as db:
        return _revision(db)


def require(engine: Engine) -> None:
    """Raise `MigrationNeeded`, naming the database and the way out, unless the database is up to date."""
    revision = current(engine)
    _refuse_newer(engine, revision)
    if revision != HEAD:
        state = "has no tables of Oyez's" if revision is None else f"is at revision {revision}, not {HEAD}"
        raise MigrationNeeded(f"the database {shown(engine.url)} {state}; run: oyez db upgrade")


def upgrade(engine: Engine) -> None:
    """Bring Oyez's tables up to date, in one transaction, and make their schema; does nothing if they are.

    Several may do so at once. Raises `MigrationNeeded` for tables that a newer Oyez made.
    """
    from alembic import command  # noqa: PLC0415 # only an upgrade needs it

    config = _config()

    def work(db: Connection) -> None:
        dialect_of(db).lock_migrations(db, LOCK)
        _make_schema(db, schema_of(db).schema)
        _refuse_newer(engine, _revision(db))
        config.attributes["connection"] = db
        command.upgrade(config, "head")

    Database(engine).repeat(work)


def _make_schema(db: Connection, schema: str | None) -> None:
    """Migrations name no schema. Whoever may not make one may be given it: nothing is asked of the database then."""
    if schema is not None and not inspect(db).has_schema(schema):
        db.execute(CreateSchema(schema))
    if schema is not None:
        dialect_of(db).make_tables_in(db, schema)


def _revision(db: Connection) -> str | None:
    schema = schema_of(db).place()
    if not inspect(db).has_table(VERSION_TABLE, schema=schema):
        return None
    version = table(VERSION_TABLE, column("version_num"), schema=schema)
    revision: str | None = db.execute(select(version.c.version_num)).scalar()
    return revision


def _refuse_newer(engine: Engine, revision: str | None) -> None:
    if revision is not None and revision > HEAD:
        raise MigrationNeeded(
            f"the database {shown(engine.url)} is at revision {revision}, which a newer Oyez made; this one knows "
            f"{HEAD}: install the newer one here too"
        )


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 # only an upgrade needs it

    config = Config()
    scripts = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))  # a value is a template there
    return config
