"""Putting the metrics together for a supervisor and its workers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from oyez.producers.loggers import logger_named

from ..core.counted import Unit
from ..instrumentation.emitter import Instrument, logging_instrument
from ..logs.lookup import log_backend
from ..processes.spec import Place, ProcessSpec
from ..settings import ListenSettings
from .endpoint import Answers, Endpoint, listen_on
from .multiprocess_files import Folder
from .prometheus import Metrics

log = logger_named("oyez.metrics")

NAME = "metrics"


class Meter:
    """The `Surroundings` of a supervisor's processes that are measured, and one more that answers scrapes."""

    def __init__(self, folder: Folder, listening: socket.socket, unit: Unit) -> None:
        self._folder = folder
        self._listening = listening
        self.instrument: Instrument = logging_instrument().with_subscriber(Metrics(unit=unit))

    def answering(self, heartbeats: Path) -> ProcessSpec:
        """The process that answers scrapes and probes. It is no group's."""
        return ProcessSpec(NAME, NAME, partial(self._answer, heartbeats))

    def begin(self, number: int) -> None:
        """In a process of workers: it writes its metrics in files of this number's."""
        self._listening.close()  # or the port would stay taken until the last worker has ended
        self._folder.identity.become(number)

    def ended(self, number: int) -> None:
        """In the supervisor: that process has ended."""
        self._folder.forget(number)

    def _answer(self, heartbeats: Path, place: Place) -> None:
        supervisor = os.getppid()
        answers = Answers(self._folder.path, heartbeats, lambda: os.getppid() == supervisor)
        Endpoint(self._listening, answers).serve(place.stopped)


@contextmanager
def metered(settings: ListenSettings, folder: Folder) -> Iterator[Meter]:
    """Metrics at the port that is set; raises `PortTaken`."""
    listening = listen_on(settings.metrics_host, settings.metrics or 0)
    try:
        host, port = listening.getsockname()[:2]
        log.info("metrics: http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port)
        yield Meter(folder, listening, log_backend(settings).unit)
    finally:
        listening.close()
