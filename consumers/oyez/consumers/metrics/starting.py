"""Putting the metrics together for a supervisor and its workers."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from oyez.producers.loggers import logger_named

from ..instrumentation import events
from ..instrumentation.emitter import Instrument, logging_instrument
from ..processes.supervisor import ProcessSpec
from ..settings import ListenSettings
from .endpoint import Answers, Endpoint, listen_on
from .multiprocess_files import Folder
from .prometheus import Metrics

log = logger_named("oyez.metrics")

NAME = "metrics"


class Meter:
    """The processes of a supervisor, measured, and one more that answers scrapes."""

    def __init__(self, folder: Folder, listening: socket.socket) -> None:
        self._folder = folder
        self._listening = listening
        self._numbers: dict[str, int] = {}
        self.instrument: Instrument = logging_instrument().with_subscriber(Metrics()).with_subscriber(self)

    def measured(self, specs: Sequence[ProcessSpec]) -> list[ProcessSpec]:
        """The same specs, whose processes write their metrics in files of the spec's own."""
        for spec in specs:
            self._numbers[spec.name] = len(self._numbers)
        return [
            replace(spec, work=partial(self._work, self._numbers[spec.name], spec.work)) for spec in specs
        ]

    def answering(self, heartbeats: Path) -> ProcessSpec:
        """The process that answers scrapes and probes. It is no group's."""
        return ProcessSpec(NAME, NAME, partial(self._answer, heartbeats))

    def receive(self, event: events.InstrumentationEvent) -> None:
        """In the supervisor: a process has died."""
        if isinstance(event, events.WorkerDied) and event.worker in self._numbers:
            self._folder.forget(self._numbers[event.worker])

    def _work(
        self, number: int, work: Callable[[Callable[[], bool]], None], stopped: Callable[[], bool]
    ) -> None:
        self._listening.close()  # or the port would stay taken until the last worker has ended
        self._folder.identity.become(number)
        work(stopped)

    def _answer(self, heartbeats: Path, stopped: Callable[[], bool]) -> None:
        supervisor = os.getppid()
        answers = Answers(self._folder.path, heartbeats, lambda: os.getppid() == supervisor)
        Endpoint(self._listening, answers).serve(stopped)


@contextmanager
def metered(settings: ListenSettings, folder: Folder) -> Iterator[Meter]:
    """Metrics at the port that is set; raises `PortTaken`."""
    listening = listen_on(settings.metrics_host, settings.metrics or 0)
    try:
        host, port = listening.getsockname()[:2]
        log.info("metrics: http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port)
        yield Meter(folder, listening)
    finally:
        listening.close()
