"""Django's ORM in the transaction of a handler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from oyez.producers import SettingsError
from oyez.producers.django.settings import database_alias
from oyez.schemas import Event

from ..handlers.tools import Tool
from .borrowed import Borrowed
from .kinds import borrowed_for


class DjangoTransaction(Tool):
    """A handler that asks for it by annotation uses Django's ORM in its transaction::

        @on(OrderPaid)
        def book(order: OrderPaid, db: DjangoTransaction) -> None:
            Entry.objects.create(order_id=order.order_id, cents=order.cents)

    As long as it runs, Django's connection for Oyez's database *is* the worker's: what the ORM writes is committed with
    what Oyez writes, or not at all. ``transaction.atomic()`` is a savepoint, and ``transaction.on_commit()`` is for
    after the commit. Other databases of Django's are not part of it.
    """

    _real: BaseDatabaseWrapper | None = None
    _borrowed: Borrowed

    @classmethod
    def refusal(cls, app: str, handler: str) -> str | None:
        """Django has to be set up, with the app, and its database has to be Oyez's."""
        try:
            is_there = apps.is_installed("oyez.consumers.django")
            alias = database_alias() if is_there else None
        except (ImproperlyConfigured, SettingsError) as error:
            return f"DjangoTransaction: {' '.join(str(error).split())}"
        except Exception as error:  # noqa: BLE001 # AppRegistryNotReady
            return f"DjangoTransaction: {error} Call django.setup() first, or run it by manage.py oyez"
        if not is_there:
            return "DjangoTransaction needs oyez.consumers.django among INSTALLED_APPS"
        if alias is None:
            return (
                "DjangoTransaction needs Oyez's tables in a database of Django's: set settings.OYEZ['DATABASE'] to its "
                "alias"
            )
        return None

    @classmethod
    def refusal_of_async(cls) -> str | None:
        """Django's ORM waits in its thread."""
        return "DjangoTransaction is for a plain def: Django's ORM would hold up the event loop"

    @property
    def alias(self) -> str:
        """The database's alias in ``settings.DATABASES``."""
        alias = database_alias()
        assert alias is not None  # see `refusal`
        return alias

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        """Lend Django the connection, unless it has it already."""
        if self._real is None:
            real = connections[self.alias]
            self._borrowed = borrowed_for(real, self.db)
            self._real = real
            self._borrowed.begin(self.db, real)

    def finish(self) -> None:
        """What is to be called after the commit."""
        calls = [] if self._real is None else self._borrowed.finish()
        for call in (close_old_connections, *calls, close_old_connections) if calls else ():
            self.db.after_commit.add(call)  # on connections of Django's own, which may have been lost since

    def end(self) -> None:
        """Give Django its own connection back."""
        if self._real is not None:
            self._borrowed.end(self._real)
            self._real = None
