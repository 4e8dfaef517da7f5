"""Putting the parts together: a worker, or a sweeper, for one group as the settings say."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from uuid import uuid4

from sqlalchemy import Engine

from ..core.apart import OWN, ProcessKind
from ..core.backoff import RetryPolicy
from ..core.tool_context import Passing
from ..database.clock import Clock, DatabaseClock
from ..database.engine import Database
from ..database.notices import Notices
from ..execution.execution import Execution
from ..execution.journal import ExpiredJournal, Journal, ParkedJournal
from ..execution.reader import Reader
from ..handlers.application import Group
from ..handlers.registry import Handler
from ..instrumentation.emitter import Instrument, logging_instrument
from ..lanes.event_loop import EventLoop
from ..lanes.lanes import WorkerLanes
from ..logs.backend import LogBackend
from ..logs.log import Log, known_lag
from ..logs.lookup import find_log_backend, log_backend
from ..outbox.lease import RowLease
from ..outbox.relay import Relay
from ..outbox.relay_thread import BackgroundRelay, NoRelay, RelayThread
from ..partitions.ownership import Ownership
from ..retry.retrying import Retrying
from ..retry.wakeups import wakeups
from ..settings import ListenSettings
from ..upkeep.sampling import Counted
from ..upkeep.upkeep import Upkeep
from ..worker.clock_watch import ClockWatch, nobody_watches
from ..worker.placement import Placement
from ..worker.retry_loop import RetryLoop
from ..worker.totals import Tally
from ..worker.worker import Worker
from .engines import notices_from
from .maintenance import TaskContext, tasks_for
from .outlets import outlet_from
from .reading import reading_for
from .topics import readers_of, topics_of


def retry_policy_from(settings: ListenSettings) -> RetryPolicy:
    """When deliveries are tried again and given up, as set."""
    return RetryPolicy(max_attempts=settings.max_attempts, max_age=settings.max_age)


def log_for(
    group: Group,
    settings: ListenSettings,
    engine: Engine,
    worker: int | None = None,
    stopping: Callable[[], float] = lambda: 0.0,
    backend: LogBackend | None = None,
) -> Log:
    """The log of the transport that is set, for a worker by its number in the group; None for one pass. ``stopping``:
    for how many seconds it has been told to stop. ``backend``: the one that the workers of a process share. Raises
    `SettingsError` if there is none."""
    database = Database(engine, stopping=stopping)
    return (backend or log_backend(settings)).join(group.name, topics_of(group, settings), database, worker)


def log_for_sweep(group: Group, settings: ListenSettings, engine: Engine) -> Log | None:
    """The log for one sweep, if it is for sweeps to read, and nobody else does."""
    backend = find_log_backend(settings)
    if backend is None:
        return None
    return backend.join_alone(group.name, topics_of(group, settings), Database(engine))


def make_worker(
    group: Group,
    settings: ListenSettings,
    *,
    engine: Engine,
    source: Log,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
    instrument: Instrument | None = None,
    retry_loop: type[RetryLoop] = RetryLoop,
    relay: BackgroundRelay | None = None,
    hears: bool = True,
    notices: Notices | None = None,
    stopping: Callable[[], float] = lambda: 0.0,
    process: ProcessKind = OWN,
    lanes: WorkerLanes | None = None,
    event_loop: EventLoop | None = None,
    policy: RetryPolicy | None = None,
    passing: Passing | None = None,
) -> Worker:
    """A worker of ``group`` that reads ``source``, and logs what happens unless told whom else to tell. Without
    ``relay`` it leaves the outbox to others. ``hears``: whether there is a connection to hear what is released, that of
    ``notices`` if there are any. ``stopping``: for how many seconds it has been told to stop.
    ``process``: the one that it runs in. ``lanes``: where handlers run that are concurrent; without them, they run as
    the others do, but for those of an at-least-once group without a database. ``event_loop``: what these await runs
    on it, as what runs in ``lanes`` does, which close it. ``policy``: as the settings say unless given. ``passing``: as
    for `Execution`."""
    tally, told = Tally(), instrument or logging_instrument()
    database = Database(engine, sleep=sleep, stopping=stopping)
    if hears and notices is None:
        notices = notices_from(settings, database)
    execution = execution_for(group, database, settings, clock, sleep, timer, policy, passing)
    ownership = Ownership(
        group,
        source,
        database,
        owner=_process(),
        first=settings.first_offset,
        clock=execution.clock,
        timer=timer,
        instrument=told,
    )
    loop = retry_loop(group.name, told, sleep)
    counted = Counted(tally, partial(_lag_of, source))
    upkeep = upkeep_for(execution, settings, told, timer, counted)
    make_reading = reading_for(group, settings, event_loop, timer)
    return Worker(
        execution,
        source,
        ownership,
        make_reading(
            execution,
            Reader(group, settings.tombstones),
            source,
            ownership,
            loop,
            told,
            placement=Placement(group.name, source, told, timer=timer),
            process=process,
            batch=settings.batch,
            sleep=sleep,
            timer=timer,
        ),
        retrying_for(
            execution, settings, upkeep, timer, process, apart=() if lanes is None else group.concurrent
        ),
        wakeups(
            database,
            group,
            execution.clock,
            timer,
            pauses=execution.pauses,
            notices=notices if hears else None,
        ),
        loop,
        told,
        relay=relay or NoRelay(),
        lanes=lanes,
        clock_watch=_clock_watch(execution, settings, told),
        keep_pace=upkeep.keep_pace,
        at_end=upkeep.finish,
        batch=settings.batch,
        sweep_every=settings.sweep_every,
        timer=timer,
        tally=tally,
    )


def _clock_watch(execution: Execution, settings: ListenSettings, told: Instrument) -> Callable[[], None]:
    clock = execution.clock
    if not isinstance(clock, DatabaseClock):
        return nobody_watches
    return ClockWatch(execution.group.name, clock, settings.max_clock_skew, told.emit)


def relay_for(settings: ListenSettings, engine: Engine, clock: Clock | None = None) -> Relay:
    """What relays the outbox, by the transport that is set; for one thread at a time. ``clock`` says what is due
    of what is scheduled: the database's unless given."""
    database = Database(engine)
    return Relay(
        database,
        partial(outlet_from, settings),
        RowLease(database, f"{_process()}/{uuid4().hex[:8]}"),
        batch=settings.batch,
        timeout=settings.flush_timeout,
        clock=clock,
    )


def relay_thread_for(
    group: str, settings: ListenSettings, engine: Engine, instrument: Instrument
) -> BackgroundRelay:
    """What relays the outbox beside the workers of a process; ``group`` is one's whose name it says."""
    return RelayThread(group, relay_for(settings, engine), instrument)


def _process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def execution_for(
    group: Group,
    database: Database,
    settings: ListenSettings,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
    policy: RetryPolicy | None = None,
    passing: Passing | None = None,
) -> Execution:
    """The execution of a group's events."""
    return Execution(
        group,
        database,
        settings=settings,
        policy=policy or retry_policy_from(settings),
        budget=settings.budget,
        clock=clock,
        sleep=sleep,
        timer=timer,
        journal=journal_for(group, settings),
        passing=passing,
    )


def journal_for(group: Group, settings: ListenSettings) -> Journal:
    """What a group's deliveries are written down in."""
    if settings.journal == "parked":
        return ParkedJournal(group)
    share = settings.journal_share
    return Journal(group, share) if share > 0 else ExpiredJournal(group)


def retrying_for(
    execution: Execution,
    settings: ListenSettings,
    upkeep: Upkeep | None = None,
    timer: Callable[[], float] = time.monotonic,
    process: ProcessKind = OWN,
    apart: Sequence[Handler] = (),
) -> Retrying:
    """The retry table of an execution's group, without the handlers that run ``apart``."""
    return Retrying(
        execution,
        Reader(execution.group),
        retry_policy_from(settings),
        batch=settings.batch,
        upkeep=upkeep or upkeep_for(execution, settings, logging_instrument(), timer, _of_no_worker()),
        process=process,
        timer=timer,
        handlers=[one for one in execution.group.handlers if one not in apart],
    )


def _lag_of(source: Log) -> int | None:
    """How many records are left to read; None also while it has no partitions."""
    return known_lag(source) if source.positions() else None


def _of_no_worker() -> Counted:
    return Counted(Tally(), lambda: None)


def upkeep_for(
    execution: Execution,
    settings: ListenSettings,
    instrument: Instrument,
    timer: Callable[[], float],
    counted: Counted,
) -> Upkeep:
    """What is done in a group's sweeps besides. ``counted``: what its worker does."""
    group, backend = execution.group, find_log_backend(settings)
    read = None if backend is None else backend.retention(readers_of(group.application, settings))
    context = TaskContext(group, settings, instrument, execution.clock, counted, log_retention=read)
    return Upkeep(execution.database, tasks_for(context), execution.clock, timer)


def retrying_for_group(
    group: Group, settings: ListenSettings, engine: Engine, clock: Clock | None = None
) -> Retrying:
    """A group's retry table, for whoever has no worker."""
    return retrying_for(execution_for(group, Database(engine), settings, clock), settings)
