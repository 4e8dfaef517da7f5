"""The workers of `oyez listen`, and the processes that they are dealt over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from functools import partial

from oyez.producers import SettingsError

from ..core.stop_signals import Told
from ..database.engine import Database
from ..handlers.application import Group
from ..instrumentation.emitter import Instrument
from ..lanes.event_loop import EventLoop
from ..lanes.lanes import WorkerLanes
from ..logs.lookup import log_backend
from ..processes.spec import Place, ProcessSpec
from ..settings import ListenSettings
from ..tracing.watching import spans_sent
from ..worker.hurry import Hurry
from .assembly import log_for, make_worker, relay_thread_for
from .connections import Connections
from .engines import journaling_engine_from, notices_from
from .lanes import lanes_for
from .sharing import Parts, Sharing, pool_for


def processes_from(settings: ListenSettings, workers: int) -> int | None:
    """For how many processes the workers are at most, with so many of each group; None: one each. `auto` is one for
    each processor of this machine. Raises `SettingsError` where two workers of a group would share one."""
    asked = settings.processes
    if asked is None:
        return None
    if asked == "auto":
        return max(workers, os.cpu_count() or 1)
    if asked < workers:
        raise SettingsError(
            f"processes (--processes, OYEZ_PROCESSES) is {asked}, with {workers} workers of each group: a process has "
            f"one of a group at most; give {workers} or more"
        )
    return asked


class Crew:
    """The workers: ``workers`` of each group, in so many processes."""

    def __init__(
        self,
        settings: ListenSettings,
        had: Connections,
        groups: Sequence[Group],
        workers: int,
        processes: int | None,
    ) -> None:
        self.processes = processes
        self._settings = settings
        self._had = had
        self._groups = groups
        self._workers = workers

    def specs(self, instrument: Instrument) -> list[ProcessSpec]:
        """What each of them does, those of a group beside one another."""
        sharing = Sharing(partial(self._parts, instrument))
        return [
            ProcessSpec(
                f"{group.name}[{number}]",
                group.name,
                partial(self._work, sharing, group, number, instrument),
            )
            for group in self._groups
            for number in range(self._workers)
        ]

    def _work(
        self, sharing: Sharing, group: Group, number: int, instrument: Instrument, place: Place
    ) -> None:
        """Be one worker of one group, numbered from 0, until it is told to stop at its place."""
        told = Told(place.stopped)
        name = f"oyez-{group.name}"
        with spans_sent(), sharing.joined(group.name) as parts, closing(EventLoop(name)) as loop:
            lanes = lanes_for(group, self._settings, instrument, place.process, loop)
            worker = make_worker(
                group,
                self._settings,
                engine=parts.engine,
                source=log_for(group, self._settings, parts.engine, number, told.seconds, parts.backend),
                instrument=instrument,
                relay=parts.relay,
                hears=self._had.hears,
                notices=parts.notices,
                stopping=told.seconds,
                process=place.process,
                lanes=lanes,
                event_loop=loop,
            )
            with Hurry(group.name, parts.engine, told, instrument, grace_ends=partial(_grace_ends, lanes)):
                worker.run(told)

    def _parts(self, instrument: Instrument, group: str) -> Parts:
        """What the workers of a process share."""
        settings = self._settings
        engine = journaling_engine_from(settings, pool_for(self._most(), self._had.pool))
        notices = notices_from(settings, Database(engine)) if self._had.hears else None
        relay = relay_thread_for(group, settings, engine, instrument)
        return Parts(engine, log_backend(settings), notices, relay)

    def _most(self) -> int:
        """How many workers there are in a process at most."""
        count = len(self._groups) * self._workers
        return 1 if self.processes is None else -(-count // self.processes)


def _grace_ends(lanes: WorkerLanes | None) -> float | None:
    """When the lanes of a worker have had their grace; None as long as that has not begun, or if there are none."""
    return None if lanes is None else lanes.grace_ends
