"""An application that a test drives by hand, and what is in its tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, select

from consumers.interleavings.signals import TOPIC, done, own
from oyez.consumers import Application, ListenSettings
from oyez.consumers.admin import Pausing
from oyez.consumers.core.backoff import RetryPolicy
from oyez.consumers.core.record import Record
from oyez.consumers.core.report import Report
from oyez.consumers.database import Database, metadata
from oyez.consumers.database.positions import Move, Partition
from oyez.consumers.execution.batch import Batch, decode
from oyez.consumers.execution.execution import Execution
from oyez.consumers.execution.pauses import Pauses
from oyez.consumers.execution.reader import Reader
from oyez.consumers.execution.readiness import ask
from oyez.consumers.handlers.application import Group
from oyez.consumers.retry.claim import Claim
from oyez.consumers.retry.retrying import Retrying
from support.tables import NAMES, table_named

_TABLES = (*NAMES, done.name)
_EMPTY = [f"DELETE FROM {table}" for table in _TABLES]


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self, _db: object = None) -> float:
        return self.now


class Shop:
    """An application at work in one process, as workers would drive it, without a log of its own."""

    def __init__(
        self,
        application: Application,
        engine: Engine,
        *,
        clock: Clock,
        policy: RetryPolicy | None = None,
        batch: int = 500,
    ) -> None:
        self._policy = policy = policy or RetryPolicy(uniform=lambda low, high: (low + high) / 2)
        self.clock = clock
        self.engine = engine
        self.application = application
        self.database = Database(engine, sleep=lambda _seconds: None)
        self.executions = {
            group.name: self.execution(group, self.database) for group in application.groups.values()
        }
        self.readers = {name: reader_of(one.group) for name, one in self.executions.items()}
        self.retrying = {
            name: Retrying(one, self.readers[name], policy, batch=batch)
            for name, one in self.executions.items()
        }
        self.batch = batch

    def execution(self, group: Group, database: Database, pauses: Pauses | None = None) -> Execution:
        """What handles the batches of a group."""
        return Execution(
            group,
            database,
            settings=_settings(),
            policy=self._policy,
            clock=self.clock,
            sleep=lambda _seconds: None,
            timer=lambda: 0.0,  # how much of a batch is run at once must be the same in each run
            pauses=pauses,
        )

    def handle(self, *records: Record, moves: Sequence[Move] = ()) -> list[Report]:
        """One batch for each group that has events among the records: ask for what they require, then handle
        them in one transaction."""
        reports = []
        for name, execution in self.executions.items():
            given = Batch(execution.group, moves=list(moves), paused=execution.pauses.now)
            batch = decode(given, self.readers[name], records, {})
            assert not batch.undecodable
            if batch.decoded.events:
                with self.database.reading() as db:
                    ask(db, execution.group.app, batch.works(batch.decoded.events), execution.met)
                reports.append(execution.handle(batch))
        return reports

    def look_at_pauses(self) -> None:
        """As each process does before it reads, and from time to time."""
        for execution in self.executions.values():
            execution.pauses.look()

    def pause(self, name: str | None, key: str | None = None) -> bool:
        """As an operator does it."""
        pausing = self._pausing()
        return pausing.pause(pausing.scope(name, key), "me@here", None)

    def resume(self, name: str | None, key: str | None = None) -> bool:
        """The same."""
        pausing = self._pausing()
        return pausing.resume(pausing.scope(name, key))

    def _pausing(self) -> Pausing:
        return Pausing(self.application, self.database, self.clock, 86_400.0)

    def claim(self, group: str) -> Report:
        """One claim, in one transaction."""
        name = self.application.group(group).name
        claim = Claim(self.executions[name].group, self.readers[name], self.batch)
        return self.executions[name].handle(claim)

    def run_due(self, *groups: str) -> list[Report]:
        """Claim and run what is due, of the groups named or of all, until nothing is; a report for each claim."""
        names = [self.application.group(name).name for name in groups] or list(self.retrying)
        claims: list[Report] = []
        before = -1
        while before < len(claims):
            before = len(claims)
            for name in names:
                self.retrying[name].run_due(claims.append)
        return claims

    def sweep(self) -> list[Report]:
        """A whole sweep of every group; a report for each claim."""
        claims: list[Report] = []
        for retrying in self.retrying.values():
            retrying.sweep(claims.append)
        return claims

    def rows(self, table: str, *columns: str) -> list[Any]:
        """Columns of one of Oyez's tables, in the order of its primary key."""
        with self.engine.connect() as db:
            return rows(db, table, *columns)

    def done(self, handler: str) -> list[int]:
        """The numbers of the events that a handler has handled, in that order."""
        with self.engine.connect() as db:
            return [n for _, n in history(db, handler)]


@cache
def _settings() -> ListenSettings:
    """The default ones; read once, since every run of an exploration makes shops."""
    return ListenSettings()


@cache
def reader_of(group: Group) -> Reader:
    """A reader, made once for each group; it keeps nothing from one event to the next."""
    return Reader(group)


def rows(db: Connection, table: str, *columns: str) -> list[Any]:
    """Columns of one of Oyez's tables, in the order of its primary key."""
    found = table_named(table)
    query = select(*(found.c[column] for column in columns)).order_by(*found.primary_key)
    return [tuple(row) for row in db.execute(query)]


def history(db: Connection, handler: str | None = None) -> list[tuple[str, int]]:
    """What was done, (handler, n) in the order in which it was done."""
    query = select(done.c.handler, done.c.n).order_by(done.c.seq)
    if handler is not None:
        query = query.where(done.c.handler == handler)
    return [(row.handler, row.n) for row in db.execute(query)]


def create(engine: Engine) -> None:
    """Make the tables."""
    metadata.create_all(engine)
    own.create_all(engine)


def empty(engine: Engine) -> None:
    """Delete every row."""
    with engine.begin() as db:
        for statement in _EMPTY if engine.dialect.name == "sqlite" else ["; ".join(_EMPTY)]:
            db.exec_driver_sql(statement)


def save(engine: Engine) -> None:
    """Keep every row, of PostgreSQL, for `restore`."""
    with engine.begin() as db:
        for table in _TABLES:
            db.exec_driver_sql(f"DROP TABLE IF EXISTS saved_{table}")
            db.exec_driver_sql(f"CREATE TABLE saved_{table} AS SELECT * FROM {table}")


def restore(engine: Engine) -> None:
    """Put every row back as it was when they were saved."""
    with engine.begin() as db:
        db.exec_driver_sql(
            "; ".join([*_EMPTY, *(f"INSERT INTO {t} SELECT * FROM saved_{t}" for t in _TABLES)])
        )


def partition(number: int) -> Partition:
    """A partition of the topic, for positions."""
    return Partition(TOPIC, "topic-id", number)
