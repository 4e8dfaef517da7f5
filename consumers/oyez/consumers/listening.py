"""Listening on Kafka: what `oyez listen` does, for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from .application import Application, Group
from .assembly import engine_from, kafka_log, make_worker
from .database.engine import Database
from .database.migrating import require
from .instruments.instrument import Instrument, logging_instrument
from .registration import register
from .settings import ListenSettings
from .supervisor import Post, Supervisor


def prepare(application: Application, settings: ListenSettings) -> None:
    """Check the database and record the handlers; raises `MigrationNeeded` and `StartError`.

    The engine is closed again: nothing of it may be inherited by the processes that are forked next.
    """
    engine = engine_from(settings)
    try:
        require(engine)
        Database(engine).repeat(partial(register, application=application))
    finally:
        engine.dispose()


def chosen(application: Application, signals: Sequence[str]) -> list[Group]:
    """The groups that handle the signals named, by signal or group name; all when none is named."""
    if not signals:
        return list(application.groups.values())
    groups = [g for name in signals for g in (application.of_signal(name) or [application.group(name)])]
    return list(dict.fromkeys(groups))


def work(settings: ListenSettings, group: Group, instrument: Instrument, stopped: Callable[[], bool]) -> None:
    """Be one worker of one group until ``stopped()``."""
    engine = engine_from(settings)
    try:
        source = kafka_log(group, settings)
        worker = make_worker(group, settings, engine=engine, source=source, instrument=instrument)
        worker.run(stopped)
    finally:
        engine.dispose()


def listen(application: Application, settings: ListenSettings, groups: Sequence[Group], workers: int) -> int:
    """Supervise ``workers`` processes for each group until a signal; returns the signal's number."""
    prepare(application, settings)
    instrument = logging_instrument()
    posts = posts_of(groups, workers, partial(work, settings), instrument)
    return Supervisor(posts, instrument=instrument).run()


def posts_of(
    groups: Iterable[Group],
    workers: int,
    working: Callable[[Group, Instrument, Callable[[], bool]], None],
    instrument: Instrument,
) -> list[Post]:
    """A post for each group and worker."""
    return [
        Post(f"{group.name}[{number}]", group.name, partial(working, group, instrument))
        for group in groups
        for number in range(workers)
    ]
