"""Telling the workers of other groups that rows of theirs were released, where the database can say so at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from oyez.producers.outbox import CHANNEL, NOTICE

from .dialects.dialect import Notifier
from .dialects.lookup import dialect_of
from .engine import Database


def notify(db: Connection, groups: Iterable[str]) -> None:
    """Notify each group when the transaction commits; where the database cannot, workers look by themselves."""
    notifier = dialect_of(db).notifier
    if notifier is not None:
        notifier.notify(db, CHANNEL, sorted(groups))


class Notices:
    """Hears what was released for one group, and what applications announced, on a connection of its own. It never
    blocks and has no thread."""

    def __init__(self, database: Database, notifier: Notifier, group: str) -> None:
        self._database = database
        self._notifier = notifier
        self.group = group
        self._connection: Connection | None = None
        self._outbox = False

    def heard(self) -> bool:
        """Whether something was released for the group since the last look, or may have been.

        Raises `DatabaseAway` while there is no connection to be had.
        """
        if self._connection is None:
            self._connection = self._database.listening(self._notifier, CHANNEL)
            self._outbox = True
            return True  # nothing was heard until now
        try:
            said = self._notifier.heard(self._connection)
        except self._errors():
            self.close()
            return self.heard()
        self._outbox = self._outbox or NOTICE in said
        return self.group in said

    def announced(self) -> bool:
        """Whether something was announced into the outbox, as far as was heard, since this was last asked."""
        announced, self._outbox = self._outbox, False
        return announced

    def close(self) -> None:
        """Give the connection up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _errors(self) -> type[Exception]:
        """What the driver raises."""
        driver: Any = self._database.engine.dialect.dbapi
        errors: type[Exception] = driver.Error
        return errors
