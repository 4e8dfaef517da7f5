"""An announcer that takes Django's transactions as well."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionProxy

from oyez.schemas import Signal

from ..announcer import Announcer
from ..scheduling import Schedules
from ..transport import JoinsTransaction
from .outbox import DjangoOutbox

if TYPE_CHECKING:
    from ..expiring import Expires
    from ..transport import Database

    AnyDatabase: TypeAlias = "str | BaseDatabaseWrapper | ConnectionProxy[BaseDatabaseWrapper] | Database"
    """An alias of ``settings.DATABASES``, a connection of Django's, or what other announcers take."""

DJANGOS = (str, BaseDatabaseWrapper, ConnectionProxy)


class DjangoAnnouncer(Announcer):
    """As `Announcer`; ``db`` may also be the alias of a database of Django's, or one of its connections."""

    def announce(
        self,
        signal: Signal | type[Signal] | str | int,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        key: str | None = None,
        db: AnyDatabase | None = None,
        at: datetime | None = None,
        after: timedelta | None = None,
        expires: Expires | None = None,
    ) -> str:
        """Announce one event; the answer is its id.

        ``db="default"`` within ``transaction.atomic()`` writes the event through Django's connection: it leaves once
        that transaction is committed, and never if it, or the savepoint that it was announced in, is rolled back.
        NotAnnounced: there is no transaction, or what `Announcer.announce` raises.
        """
        joined: Any = db  # _joining takes them
        return super().announce(signal, data, key=key, db=joined, at=at, after=after, expires=expires)

    def _joining(self, db: Any) -> JoinsTransaction:
        return self._django if isinstance(db, DJANGOS) else super()._joining(db)

    def _scheduling(self, db: Any) -> Schedules:
        return self._django if isinstance(db, DJANGOS) else super()._scheduling(db)

    @cached_property
    def _django(self) -> DjangoOutbox:
        """A transport that would handle an event in the transaction itself does so as soon as that is committed."""
        handles = isinstance(self._transport, JoinsTransaction)
        return DjangoOutbox(self._clock, self._schema, self._relay if handles else None)

    def _relay(self) -> None:
        self._transport.flush(self._flush_timeout)
