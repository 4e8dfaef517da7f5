"""Telling the workers of other groups that rows of theirs were released, where the database can say so at once."""

from __future__ import annotations

import threading
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
    """Hears what was released for groups, and what applications announced, on one connection of its own: for all
    workers of a process, in whose threads it is asked. It never blocks for long and has no thread."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._released: dict[str, bool] = {}
        self._announced: dict[str, bool] = {}

    def heard(self, group: str) -> bool:
        """Whether something was released for the group since it last asked, or may have been.

        Raises `DatabaseAway` while there is no connection to be had.
        """
        with self._lock:
            if group not in self._released:
                self._released[group] = self._announced[group] = True  # nothing was heard until now
            self._hear()
            found, self._released[group] = self._released[group], False
        return found

    def announced(self, group: str) -> bool:
        """Whether something was announced into the outbox, as far as was heard, since the group last asked."""
        with self._lock:
            found, self._announced[group] = self._announced.get(group, False), False
        return found

    def leave(self, group: str) -> None:
        """The group asks no more; the last one gives the connection up."""
        with self._lock:
            self._released.pop(group, None)
            self._announced.pop(group, None)
            if not self._released:
                self._close()

    def _hear(self) -> None:
        if self._connection is None:
            self._connection = self._database.listening(self._notifier, CHANNEL)
            self._tell_all()
            return
        try:
            said = self._notifier.heard(self._connection)
        except self._errors():
            self._close()
            self._hear()
            return
        anything = said and not self._notifier.tells_what
        for group in self._released if anything else self._released.keys() & said:
            self._released[group] = True
        if anything or NOTICE in said:
            self._announced = dict.fromkeys(self._announced, True)

    def _tell_all(self) -> None:
        """There may be something for anybody."""
        self._released = dict.fromkeys(self._released, True)
        self._announced = dict.fromkeys(self._announced, True)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._notifier.leave(connection)
            connection.close()

    def _errors(self) -> type[Exception]:
        """What the driver raises."""
        driver: Any = self._database.engine.dialect.dbapi
        errors: type[Exception] = driver.Error
        return errors
