"""The inline transport: ``announce()`` runs the handlers in one database transaction and returns when it is
committed. What fails or is not ready parks, as everywhere; what is released runs before ``announce()`` returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from oyez.producers import Settings, TransportRefused
from oyez.schemas import Undecodable

from .application import Application
from .assembly import engine_from, limits_from, retrying_for
from .database.connection import HandlerConnection
from .database.engine import Database, DatabaseAway
from .execution import Execution, perform
from .intakes import Batch
from .loading import load_application
from .loose import LooseBatch
from .reading import Reader, Taken
from .running import Memory, OneByOne, Runner
from .settings import ListenSettings
from .writing import Report


class InlineRecord:
    """The record that an event announced inline is."""

    __slots__ = ("_key", "_value")

    def __init__(self, key: bytes | None, value: bytes) -> None:
        self._key = key
        self._value = value

    def value(self) -> bytes:
        return self._value

    def key(self) -> bytes | None:
        return self._key

    def headers(self) -> Sequence[tuple[str, bytes]]:
        return ()


class InlineTransport:
    """Runs an application's handlers where the event is announced."""

    def __init__(
        self,
        application: Application,
        engine: Engine,
        settings: ListenSettings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        database, limits = Database(engine), limits_from(settings)
        self._database = database
        self._executions = [
            Execution(group, database, limits=limits, clock=clock) for group in application.groups.values()
        ]
        self._readers = {e.group.name: Reader(e.group) for e in self._executions}
        self._retrying = {e.group.name: retrying_for(e, settings) for e in self._executions}

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Handle the event, and then whatever that released, in transactions of their own."""
        intakes = self._intakes(key, value)
        try:
            report = perform(self._database, partial(self._all, intakes))
        except (DatabaseAway, DBAPIError) as error:
            raise TransportRefused(f"the database did not take it: {error}") from error
        for name in set(report.released):
            if name in self._retrying:
                self._retrying[name].run_due(lambda _report: None)

    def send_in(self, db: Session | Connection, topic: str, key: bytes | None, value: bytes) -> None:
        """Handle the event in the caller's transaction, each handler in a savepoint of its own.

        What it releases is run by the next `send`, worker or sweep after the caller's commit.
        """
        connection = db.connection() if isinstance(db, Session) else db
        if isinstance(db, Session):
            db.flush()
        self._all(self._intakes(key, value), connection, OneByOne(Memory()))

    def flush(self, timeout: float) -> None:
        """Nothing is ever under way."""

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""

    def _intakes(self, key: bytes | None, value: bytes) -> list[tuple[Execution, Batch]]:
        record = InlineRecord(key, value)
        found: list[tuple[Execution, Batch]] = []
        for execution in self._executions:
            taken = self._read(execution.group.name, record)
            if taken is not None:
                kind = Batch if execution.group.is_exact else LooseBatch
                found.append((execution, kind(execution.group, [taken], [])))
        return found

    def _read(self, group: str, record: InlineRecord) -> Taken | None:
        try:
            return self._readers[group].read(record)
        except Undecodable as error:
            raise TransportRefused(f"its own signal cannot be read back: {error.reason}") from error

    def _all(self, intakes: list[tuple[Execution, Batch]], db: Any, runner: Runner) -> Report:
        total = Report()
        for execution, batch in intakes:
            connection: HandlerConnection = db
            report = execution.once(connection, batch, runner)
            total.released += report.released
        return total


def from_settings(settings: Settings) -> InlineTransport:
    """The transport named "inline": the handlers of OYEZ_APP, in the database of OYEZ_DATABASE."""
    full = ListenSettings(**settings.model_dump())
    return InlineTransport(load_application(full.app), engine_from(full), full)
