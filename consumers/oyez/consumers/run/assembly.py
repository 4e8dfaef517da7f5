"""Putting the parts together: a worker, or a sweeper, for one group as the settings say."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine

from oyez.producers import SettingsError, Transport, transport_from
from oyez.producers.kafka.durability import shipping_transport
from oyez.producers.spool import Folder, found_in
from oyez.producers.spool.transport import own_spool

from ..core.backoff import RetryPolicy
from ..database.engine import Database, make_engine
from ..execution.execution import Execution
from ..execution.reader import Reader
from ..handlers.application import Group
from ..instrumentation.emitter import Instrument, logging_instrument
from ..logs.kafka import KafkaLog
from ..logs.keepalive import KeepAlive
from ..logs.log import Log
from ..logs.members import Members
from ..logs.spool import SpoolLog
from ..outbox.lease import RowLease
from ..outbox.relay import Drainer
from ..outbox.relay_thread import Draining, DrainThread, NoDraining
from ..partitions.ownership import Ownership
from ..retry.retrying import Retrying
from ..retry.wakeups import wakeups
from ..settings import ListenSettings
from ..upkeep.upkeep import Upkeep
from ..worker.batches import Batches
from ..worker.retry_loop import RetryLoop
from ..worker.worker import Worker
from .maintenance import TaskContext, tasks_for

log = logging.getLogger("oyez.kafka")


def retry_policy_from(settings: ListenSettings) -> RetryPolicy:
    """When deliveries are tried again and given up, as set."""
    return RetryPolicy(max_attempts=settings.max_attempts, max_age=settings.max_age)


def engine_from(settings: ListenSettings) -> Engine:
    """The engine of the database that is set."""
    return make_engine(
        settings.database, sqlite_journal=settings.sqlite_journal, idle_limit=settings.idle_in_transaction
    )


def topics_of(group: Group, settings: ListenSettings) -> list[str]:
    """The topics that a group reads: its signals' own, or the one for all."""
    return sorted({declaration.topic or settings.topic for declaration in group.declarations})


def log_for(group: Group, settings: ListenSettings, engine: Engine) -> Log:
    """The log of the transport that is set, polled also while its worker is busy; see `require_log`."""
    require_log(settings)
    if settings.transport == "kafka":
        return kafka_log(group, settings)
    return spool_log(group, settings, engine)


def require_log(settings: ListenSettings) -> None:
    """Raises `SettingsError` for a transport that leaves nothing to listen to."""
    if settings.transport not in ("kafka", "spool"):
        raise SettingsError(
            f"transport {settings.transport} (OYEZ_TRANSPORT) leaves nothing to listen to; use kafka or spool"
        )


def kafka_log(group: Group, settings: ListenSettings) -> Log:
    """The group's log on Kafka."""
    return KeepAlive(
        KafkaLog(
            group.name,
            topics_of(group, settings),
            servers=settings.kafka,
            options=settings.kafka_options,
            logger=log,
        )
    )


def spool_log(group: Group, settings: ListenSettings, engine: Engine) -> Log:
    """The group's log in the folders of the spool."""
    topics = topics_of(group, settings)
    return KeepAlive(
        SpoolLog(
            lambda: [folder for folder in folders(settings) if folder.topic in topics],
            members_of(group, engine),
        )
    )


def members_of(group: Group, engine: Engine) -> Members:
    """A new member of a group that reads the spool, with the others."""
    name = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
    return Members(Database(engine), group.name, name)


def folders(settings: ListenSettings) -> list[Folder]:
    """The logs of the spool that are read."""
    return found_in(spools_read(settings), settings.topic)


def spools_read(settings: ListenSettings) -> list[Path]:
    """Where logs of the spool are looked for: below the folders that are set, and below this process's own one, where
    what its handlers announce is put."""
    own = own_spool(settings)
    return [*settings.spools, *([own] if own.is_dir() or not settings.spools else [])]


def make_worker(
    group: Group,
    settings: ListenSettings,
    *,
    engine: Engine,
    source: Log,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
    instrument: Instrument | None = None,
    patience: type[RetryLoop] = RetryLoop,
    draining: Draining | None = None,
) -> Worker:
    """A worker of ``group`` that reads ``source``, and logs what happens unless told whom else to tell. Without
    ``draining`` it leaves the outbox to others."""
    told = instrument or logging_instrument()
    database = Database(engine, sleep=sleep)
    execution = execution_for(group, database, settings, clock, sleep, timer)
    ownership = Ownership(
        group, source, database, owner=_process(), first=settings.first_offset, clock=clock, instrument=told
    )
    patient = patience(group.name, told, sleep)
    return Worker(
        execution,
        source,
        ownership,
        Batches(execution, ownership, patient, told, sleep=sleep),
        retrying_for(execution, settings, told),
        wakeups(database, group, clock),
        patient,
        told,
        draining=draining or NoDraining(),
        batch=settings.batch,
        sweep_every=settings.sweep_every,
    )


def drainer_for(settings: ListenSettings, engine: Engine) -> Drainer:
    """What drains the outbox, by the transport that is set; for one thread at a time."""
    database = Database(engine)
    return Drainer(
        database,
        partial(_outlet, settings),
        RowLease(database, f"{_process()}/{uuid4().hex[:8]}"),
        batch=settings.batch,
        patience=settings.flush_timeout,
    )


def require_outlet(settings: ListenSettings) -> None:
    """Raises `SettingsError` for a transport into which the outbox must not be drained: what leaves it is deleted."""
    if settings.transport == "memory":
        raise SettingsError(
            "transport memory (OYEZ_TRANSPORT) ends with this process, and what is in the outbox would be gone; use "
            "kafka, spool or inline"
        )


def _outlet(settings: ListenSettings) -> Transport:
    """The transport that is set; of Kafka the plain one, since here the database is the buffer."""
    require_outlet(settings)
    return shipping_transport(settings) if settings.transport == "kafka" else transport_from(settings)


def draining_for(group: Group, settings: ListenSettings, engine: Engine, instrument: Instrument) -> Draining:
    """What drains the outbox beside a worker of ``group``."""
    return DrainThread(group.name, drainer_for(settings, engine), instrument)


def _process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def execution_for(
    group: Group,
    database: Database,
    settings: ListenSettings,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
) -> Execution:
    """The execution of a group's events."""
    return Execution(
        group,
        database,
        settings=settings,
        limits=retry_policy_from(settings),
        budget=settings.budget,
        clock=clock,
        sleep=sleep,
        timer=timer,
    )


def retrying_for(
    execution: Execution, settings: ListenSettings, instrument: Instrument | None = None
) -> Retrying:
    """The retry table of an execution's group."""
    return Retrying(
        execution,
        Reader(execution.group),
        retry_policy_from(settings),
        batch=settings.batch,
        upkeep=upkeep_for(execution, settings, instrument or logging_instrument()),
    )


def upkeep_for(execution: Execution, settings: ListenSettings, instrument: Instrument) -> Upkeep:
    """What is done in a group's sweeps besides."""
    context = TaskContext(
        execution.group, settings, instrument, execution.clock, spools=lambda: folders(settings)
    )
    return Upkeep(execution.database, tasks_for(context), execution.clock)


def retrying_for_group(
    group: Group, settings: ListenSettings, engine: Engine, clock: Callable[[], float] = time.time
) -> Retrying:
    """A group's retry table, for whoever has no worker."""
    return retrying_for(execution_for(group, Database(engine), settings, clock), settings)
