"""The app, which prepares the connections that Django's ORM is to be used on."""

from __future__ import annotations

from contextlib import suppress

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from sqlalchemy import Engine, event

from oyez.producers import SettingsError
from oyez.producers.django.settings import settings_said
from oyez.producers.settings import SCHEMA

from .sqlite import prepare
from .upgrading import bring_tables


class OyezConsumersConfig(AppConfig):
    """``oyez.consumers.django`` in ``INSTALLED_APPS``."""

    name = "oyez.consumers.django"
    label = "oyez_consumers"
    verbose_name = "Oyez"

    def ready(self) -> None:
        """What SQLite is asked to do for a connection, it is asked outside of transactions: when it is made."""
        event.listen(Engine, "connect", prepare)
        post_migrate.connect(bring_tables, sender=self)
        for model in self.get_models():
            known = model._meta  # noqa: SLF001 # what all use is called so
            known.db_table = _place(known.db_table)


def _place(table: str) -> str:
    """The table where Oyez's are. What is wrong with the settings, Django's checks say."""
    with suppress(SettingsError):
        schema = settings_said().get(SCHEMA)
        return f'"{schema}"."{table}"' if schema else table
    return table
