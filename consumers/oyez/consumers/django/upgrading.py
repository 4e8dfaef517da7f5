"""Bringing Oyez's tables up to date when Django migrates its own."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from oyez.producers import SettingsError
from oyez.producers.django.settings import USUAL, WHERE, database_alias, settings_said
from oyez.producers.settings_given import settings_given
from oyez.schemas import OyezError

from ..database import migrating
from ..run.engines import journaling_engine_from
from ..settings import ListenSettings


def listening_settings() -> ListenSettings:
    """The settings of listening, as ``settings.OYEZ`` has them. SettingsError: one is wrong."""
    return settings_given(WHERE, settings_said(), ListenSettings)


def upgrade(_apps: Any, schema_editor: Any) -> None:
    """For ``RunPython``: `oyez db upgrade`, when the database is migrated that is to have the tables. It is Oyez's own
    connection that does it, and does nothing if they are up to date."""
    _bring(schema_editor.connection.alias)


def bring_tables(using: str, **_: Any) -> None:
    """After each `migrate`: they are missing where Django has noted the migration for a database that has become
    Oyez's since."""
    _bring(using)


def _bring(alias: str) -> None:
    try:
        if alias == (database_alias() or USUAL):
            _upgrade()
    except (OyezError, SettingsError) as error:
        raise ImproperlyConfigured(f"Oyez's tables: {error}") from error


def _upgrade() -> None:
    engine = journaling_engine_from(listening_settings())
    try:
        if migrating.current(engine) != migrating.HEAD:
            migrating.upgrade(engine)
    finally:
        engine.dispose()
