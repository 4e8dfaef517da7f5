"""The inline transport: ``announce()`` runs the handlers in one database transaction and returns when it is
committed. What fails or is not ready parks, as everywhere; what is released runs before ``announce()`` returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session

from oyez.producers import Settings, TransportRefused
from oyez.producers.database_errors import one_line
from oyez.producers.forks import call_in_child
from oyez.producers.loggers import logger_named
from oyez.producers.settings import values_for
from oyez.producers.transport import Lasting
from oyez.schemas import OyezError, Undecodable

from ..core.deadline import NO_DEADLINE, Deadline
from ..core.report import Report
from ..database.clock import Clock, DatabaseClock
from ..database.connection import HandlerConnection
from ..database.engine import Database, DatabaseAway, DatabaseRefuses
from ..database.migrating import MigrationNeeded, require
from ..database.schema import put_tables_in, schema_of
from ..execution.at_least_once import AtLeastOnceBatch
from ..execution.batch import Batch
from ..execution.careful import OneByOne
from ..execution.execution import Execution, perform
from ..execution.memory import Memory
from ..execution.reader import Decoded, Reader, Taken
from ..execution.runners import Runner
from ..handlers.application import Application
from ..handlers.recorded_handlers import register
from ..lanes.lanes import WorkerLanes, drain
from ..lanes.unit import NO_LIMIT
from ..outbox.lease import NoLease
from ..outbox.others import Others
from ..outbox.relay import Relay
from ..run.assembly import execution_for, retrying_for
from ..run.clock_check import said_of
from ..run.engines import journaling_engine_from
from ..run.lanes import lanes_for
from ..run.loading import load_application
from ..settings import ListenSettings
from .intakes import InlineBatch, InlineClaim, InlineRecord
from .nested import Nested

log = logger_named("oyez.inline")

SLICE = 1.0  # s; how long one announcement runs what is due in a group: the rest is the next one's, or the sweep's

Intakes = Sequence[tuple[Execution, Batch]]


class InlineTransport:
    """Runs an application's handlers where the event is announced. Many threads may use it at once."""

    def __init__(
        self,
        application: Application,
        engine: Engine,
        settings: ListenSettings,
        *,
        clock: Clock | None = None,
        timer: Callable[[], float] = time.monotonic,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        """``release`` is called by `close`."""
        database = Database(engine)
        self._database = database
        self._schema = schema_of(database.engine).schema
        self._settings = settings
        self._batch = settings.batch
        self._clock = clock or DatabaseClock()
        self._timer = timer
        self._release = release
        self.others = Others(application.knows)
        # Once it is so it stays so: which of the callers' transactions are still to be committed, nobody here knows.
        self._may_have_left = False
        self._executions = {
            group.name: execution_for(group.in_place(), database, settings, self._clock)
            for group in application.groups.values()
        }
        self._readers = {name: Reader(e.group) for name, e in self._executions.items()}
        self._retrying = {
            name: retrying_for(e, settings, apart=e.group.awaited) for name, e in self._executions.items()
        }
        self._awaiting = self._make_lanes()
        call_in_child(self._begin_in_child)

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Handle the event, then whatever that released, then what handlers announced, in transactions of their own.

        The outbox is asked only where something may stand in it: most applications never announce in handlers.
        """
        if self.handle(key, value) or self._may_have_left:
            self._relay(SLICE)

    def handle(self, key: bytes | None, value: bytes) -> bool:
        """Handle one event, and whatever that released; whether a handler has announced something."""
        intakes = self._intakes(key, value)
        try:
            report = perform(self._database, partial(self._all, intakes))
        except (DatabaseAway, SQLAlchemyError) as error:
            raise self._refused(error) from error
        reports = [report]
        try:
            self._run_due(report.released, reports)
        except (OyezError, SQLAlchemyError) as error:
            _has_to_wait(error)
        return any(report.announced for report in reports)

    def _relay(self, seconds: float) -> None:
        """Handle what stands in the outbox, and what that announces, until nothing does or the time is up."""
        # The caller's own transaction may be in the way.
        brief, made = Database(self._database.engine, timeout=seconds), partial(Nested, self.handle)
        relay = Relay(brief, made, NoLease(), clock=self._clock, timer=self._timer, others=self.others)
        try:
            problem = relay.run(seconds=seconds).problem
        except (OyezError, SQLAlchemyError) as error:
            problem = one_line(error)
        if problem is not None:
            self._may_have_left = True
            log.warning("what was announced has to wait: %s", problem)

    def send_in(self, db: Session | Connection, topic: str, key: bytes | None, value: bytes) -> None:
        """Handle the event, and what it releases, for a second at most, in the caller's transaction: each delivery in a
        savepoint of its own, all of them in one, so that the caller's transaction goes on even when the event is
        refused. What handlers announce is handled after the commit, by the next `send` or `flush`, a worker or a
        sweep."""
        if isinstance(db, scoped_session):
            db = db()
        if isinstance(db, Session):
            db.flush()
        intakes = self._intakes(key, value)
        try:
            connection = HandlerConnection.over_callers(db.connection() if isinstance(db, Session) else db)
            _begin(connection)
            put_tables_in(connection, self._schema)
            with connection.own_map(), connection.begin_nested():
                self._all_in(connection, intakes)
        except (DatabaseAway, SQLAlchemyError) as error:
            raise self._refused(error) from error

    def flush(self, timeout: float) -> None:
        """Handle what stands in the outbox: what handlers announced in callers' transactions that are committed by now,
        of this process or one before it. What fails has to wait: all that was announced is stored."""
        for name in self._awaiting:
            try:
                self._await(name, _forget)
            except (OyezError, SQLAlchemyError) as error:
                _has_to_wait(error)
        self._relay(timeout)

    def close(self, timeout: float) -> None:
        """flush(), and let go of what was made for this transport."""
        with ExitStack() as last:
            last.callback(self._release)
            for lanes in self._awaiting.values():
                last.callback(lanes.close)
                last.callback(lanes.stop)  # comes first
            self.flush(timeout)

    def _intakes(self, key: bytes | None, value: bytes) -> Intakes:
        record = InlineRecord(key, value)
        found: list[tuple[Execution, Batch]] = []
        for name, execution in self._executions.items():
            taken = self._read(name, record)
            if taken is not None:
                kind = InlineBatch if execution.group.is_exact else AtLeastOnceBatch
                found.append((execution, kind(execution.group, Decoded.of([taken]), [])))
        return found

    def _read(self, group: str, record: InlineRecord) -> Taken | None:
        try:
            return self._readers[group].read(record)
        except Undecodable as error:
            raise TransportRefused(Lasting(f"its own signal cannot be read back: {error.reason}")) from error

    def _all(self, intakes: Intakes, db: HandlerConnection, runner: Runner) -> Report:
        """Every group's part; ``released`` has the groups of which something is due now."""
        reports = [
            (one, one.once(db, _without_paused(one, batch, db), runner, NO_DEADLINE))
            for one, batch in intakes
        ]
        released = [group for execution, report in reports for group in self._due(execution, report)]
        announced, queued = (
            sum(getattr(report, name) for _, report in reports) for name in ("announced", "queued")
        )
        return Report(released=released, announced=announced, queued=queued)

    def _due(self, execution: Execution, report: Report) -> list[str]:
        is_due = report.due_in == 0.0
        return [*report.released, *([execution.group.name] if is_due else [])]

    def _run_due(self, released: Sequence[str], reports: list[Report]) -> None:
        """Run what is due in these groups, and what that releases. ``reports`` gets what was committed, also of a run
        that ends in an error."""
        todo = dict.fromkeys(released)
        while todo:
            name, _ = todo.popitem()
            if name in self._retrying:
                self._retrying[name].run_due(partial(_note_released, todo, reports), seconds=SLICE)
                self._await(name, partial(_note_released, todo, reports))

    def _await(self, name: str, note: Callable[[Report], None]) -> None:
        """Run what is due of a group's `async def` handlers, on an event loop of theirs."""
        if name in self._awaiting:
            limit = self._timer() + SLICE
            for report in drain(self._awaiting[name], lambda: NO_LIMIT if self._timer() < limit else 0):
                note(report)

    def _make_lanes(self) -> dict[str, WorkerLanes]:
        groups = [execution.group for execution in self._executions.values()]
        made = {g.name: lanes_for(g, self._settings, handlers=g.awaited) for g in groups}
        return {name: lanes for name, lanes in made.items() if lanes is not None}

    def _all_in(self, db: HandlerConnection, intakes: Intakes) -> None:
        since, limit = self._clock(db), Deadline(self._timer() + SLICE, clock=self._timer)
        report = self._all(intakes, db, OneByOne(Memory()))
        self._may_have_left |= report.announced > 0 or report.queued > 0
        todo = dict.fromkeys(report.released)
        while todo and not limit.is_over():
            name, _ = todo.popitem()
            if name in self._executions:
                execution = self._executions[name]
                claim = InlineClaim(
                    execution.group, self._readers[name], self._batch, execution.pauses, since
                )
                report = execution.once(db, claim, OneByOne(Memory()), limit)
                self._may_have_left |= report.announced > 0
                todo.update(dict.fromkeys([*report.released, *([name] if report.claimed else [])]))

    def _refused(self, error: BaseException) -> TransportRefused:
        reason = f"the database did not take it: {one_line(error)}"
        if not isinstance(error, DatabaseAway) or isinstance(error, DatabaseRefuses):
            try:
                require(self._database.engine)
            except MigrationNeeded as needed:
                reason = str(needed)
            except (OyezError, SQLAlchemyError) as also:
                log.debug("%s", one_line(also))
        return TransportRefused(reason)

    def _begin_in_child(self) -> None:
        self._database.engine.dispose(close=False)
        self._awaiting = self._make_lanes()


def _without_paused(execution: Execution, batch: Batch, db: Connection) -> Batch:
    """What is paused is parked: there is no log in which it could stay."""
    paused = execution.pauses.look_in(db)
    return batch if paused is None else replace(batch, paused=paused)


def _has_to_wait(error: Exception) -> None:
    """The event itself is handled: what it released is run by the next one, or by a sweep."""
    log.warning("what was released has to wait: %s", one_line(error))


def _forget(_report: Report) -> None:
    """What was released is found by whoever comes next."""


def _note_released(todo: dict[str, None], reports: list[Report], report: Report) -> None:
    todo.update(dict.fromkeys(report.released))
    reports.append(report)


def _begin(db: HandlerConnection) -> None:
    """Python's SQLite driver begins a transaction late; a savepoint before that would commit when it is released."""
    if db.is_broken():
        db.begin_at_once()


def from_settings(settings: Settings) -> InlineTransport:
    """The transport named "inline": the handlers of OYEZ_APP, in the database of OYEZ_DATABASE.

    Raises `MigrationNeeded` and `StartError`; a database that is away is only missed by ``announce()``.
    """
    full = ListenSettings(**values_for(ListenSettings, settings))
    application, engine = load_application(full), journaling_engine_from(full)
    try:
        require(engine)
        clock = DatabaseClock()
        Database(engine).repeat(lambda db: register(db, application, clock(db)))
        if abs(clock.skew) > full.max_clock_skew:
            log.error("inline: %s", said_of(clock.skew, full.max_clock_skew))
    except DatabaseAway as away:
        log.warning("inline: %s", away)
    finally:
        engine.dispose()
    return InlineTransport(application, engine, full, release=engine.dispose)
