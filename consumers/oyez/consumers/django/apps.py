"""The app, which prepares the connections that Django's ORM is to be used on."""

from __future__ import annotations

from django.apps import AppConfig
from sqlalchemy import Engine, event

from .sqlite import prepare


class OyezConsumersConfig(AppConfig):
    """``oyez.consumers.django`` in ``INSTALLED_APPS``."""

    name = "oyez.consumers.django"
    label = "oyez_consumers"
    verbose_name = "Oyez"

    def ready(self) -> None:
        """What SQLite is asked to do for a connection, it is asked outside of transactions: when it is made."""
        event.listen(Engine, "connect", prepare)
