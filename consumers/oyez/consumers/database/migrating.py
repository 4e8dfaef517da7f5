"""Migrations of Oyez's tables, by Alembic, which is imported only here and only when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from oyez.schemas import OyezError

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "oyez_alembic_version"
HEAD = "0001"
"""The newest revision; a test compares it with the scripts, so that nothing but a migration needs Alembic."""


class MigrationNeeded(OyezError):
    """The database lacks Oyez's tables, or has those of another version."""


def current(engine: Engine) -> str | None:
    """The revision of the database; None before the first upgrade."""
    with engine.connect() as db:
        if not inspect(db).has_table(VERSION_TABLE):
            return None
        revision: str | None = db.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
        return revision


def require(engine: Engine) -> None:
    """Raise `MigrationNeeded`, naming the database and the command, unless the database is up to date."""
    revision = current(engine)
    if revision != HEAD:
        shown = engine.url.render_as_string(hide_password=True)
        state = "has no tables of Oyez's" if revision is None else f"is at revision {revision}, not {HEAD}"
        raise MigrationNeeded(f"the database {shown} {state}; run: oyez db upgrade")


def upgrade(engine: Engine) -> None:
    """Bring Oyez's tables up to date; does nothing if they are."""
    from alembic import command  # noqa: PLC0415 # only an upgrade needs it

    config = _config()
    with engine.begin() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 # only an upgrade needs it

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    return config
