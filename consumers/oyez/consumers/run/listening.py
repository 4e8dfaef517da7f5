"""Listening: what `oyez listen` does, for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from oyez.schemas import catalogue

from ..core.numerals import name_or_number
from ..database.clock import DatabaseClock
from ..database.engine import Database
from ..database.migrating import require
from ..handlers.application import Application, Group
from ..handlers.recorded_handlers import register
from ..health.keeping import Keeper, kept
from ..instrumentation.emitter import Instrument, logging_instrument
from ..instrumentation.failure_subscriber import FailureSubscriber
from ..logs.lookup import log_backend
from ..metrics.multiprocess_files import Folder, folder
from ..processes.supervisor import Supervisor
from ..settings import ListenSettings
from .clock_check import require_clock
from .connections import Connections, connections
from .crew import Crew, processes_from
from .engines import journaling_engine_from
from .lanes import connections_of


def prepare(
    application: Application,
    settings: ListenSettings,
    workers: int = 1,
    processes: int | None = None,
    lanes: int = 0,
) -> Connections:
    """Check what is to be read, and the database, and record the handlers; returns what connections there are for so
    many workers in so many processes, with so many ``lanes``. Raises `FolderMissing`, `MigrationNeeded`, `ClockWrong`
    and other `StartError`s.

    The engine is closed again: nothing of it may be inherited by the processes that are forked next.
    """
    log_backend(settings).check()
    engine = journaling_engine_from(settings)
    try:
        require(engine)
        require_clock(Database(engine), settings.max_clock_skew)
        clock = DatabaseClock()
        Database(engine).repeat(lambda db: register(db, application, clock(db)))
        is_direct = settings.database_direct is not None
        return connections(Database(engine), workers, processes, direct=is_direct, lanes=lanes)
    finally:
        engine.dispose()


def chosen(application: Application, signals: Sequence[str]) -> list[Group]:
    """The groups that handle the signals named, by a signal's name or number or a group's name; all when none is named,
    or 0, which is any signal.

    Raises `StartError` and `UnknownSignal`.
    """
    asked = [name_or_number(name) for name in signals]
    if not asked or 0 in asked:
        return list(application.groups.values())
    names = [catalogue[one].name if isinstance(one, int) else one for one in asked]
    groups = [g for name in names for g in (application.of_signal(name) or [application.group(name)])]
    return list(dict.fromkeys(groups))


def listen(
    application: Application,
    settings: ListenSettings,
    groups: Sequence[Group],
    workers: int,
    where: Folder | None = None,
) -> int:
    """Supervise ``workers`` workers for each group until a signal; returns the signal's number.

    ``where`` is the folder for metrics, if it was made before the application was imported: see `metrics_folder`.
    Raises `MetricsMissing`, `PortTaken`, and `SettingsError` for fewer processes than a group has workers.
    """
    processes = processes_from(settings, workers)
    lanes = workers * sum(map(connections_of, groups))
    had = prepare(application, settings, len(groups) * workers, processes, lanes)
    with (
        kept(settings.health, settings.stuck_after) as keeper,
        metrics_folder(settings) if where is None else nullcontext(where) as folder,
    ):
        crew = Crew(settings, had, groups, workers, processes)
        if folder is None:
            instrument = _telling(logging_instrument()).with_subscriber(keeper)
            specs = keeper.beating(crew.specs(instrument))
            return Supervisor(specs, processes=processes, instrument=instrument, watch=keeper).run()
        return _listen_measured(settings, crew, folder, keeper)


def _telling(instrument: Instrument) -> Instrument:
    """The same, which tells of failing handlers too. Who runs one pass says at its end how they failed."""
    return instrument.with_subscriber(FailureSubscriber(instrument.emit))


@contextmanager
def metrics_folder(settings: ListenSettings) -> Iterator[Folder | None]:
    """The folder for the metrics of this process and its workers, if any are asked for. To be entered before the
    application is imported; raises `MetricsMissing`."""
    if settings.metrics is None:
        yield None
        return
    with folder() as found:
        yield found


def _listen_measured(settings: ListenSettings, crew: Crew, folder: Folder, keeper: Keeper) -> int:
    from ..metrics.starting import metered  # noqa: PLC0415 # prometheus-client is an extra

    with metered(settings, folder) as meter:
        instrument = _telling(meter.instrument).with_subscriber(keeper)
        return Supervisor(
            keeper.beating(crew.specs(instrument)),
            processes=crew.processes,
            aside=[meter.answering(keeper.folder)],
            instrument=instrument,
            watch=keeper,
            around=meter,
        ).run()
