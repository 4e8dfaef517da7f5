"""The process that a supervisor forks: one worker, or several."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from ..core.apart import OWN
from ..core.user_errors import text_of
from ..instrumentation.emitter import Instrument
from ..instrumentation.events import WorkerFailed
from .company import FINISHED, run_together
from .load import Limits
from .spec import Place, ProcessSpec, Surroundings

STOPPING = (signal.SIGTERM, signal.SIGINT)
YOUNG = (
    50_000  # objects; those of a batch are gone before the collector looks, which then finds nothing to do
)


def be_a_child(
    specs: Sequence[ProcessSpec],
    parent: int,
    instrument: Instrument,
    number: int | None,
    around: Surroundings,
    saying: Connection,
    limits: Limits,
) -> None:
    """Be the process of these workers. SIGTERM ends it after their batches, and so does the death of its supervisor.
    ``number``: see `Surroundings`. ``saying`` takes who of several leaves before the others, and that all have
    finished: without that, whatever the exit code, something has ended them. ``limits``: what one may take beside
    others."""
    gc.set_threshold(YOUNG)
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def stopped() -> bool:
        return bool(told) or os.getppid() != parent

    if number is not None:
        around.begin(number)
    if len(specs) == 1:
        _run_alone(specs[0], stopped, instrument)
    else:

        def say(what: object) -> None:
            with suppress(OSError):  # the supervisor has died
                saying.send(what)

        run_together(specs, stopped, instrument, say, limits)
        say(FINISHED)


def _run_alone(spec: ProcessSpec, stopped: Callable[[], bool], instrument: Instrument) -> None:
    try:
        spec.work(Place(stopped, OWN))
    except BaseException as error:  # noqa: BLE001 # whatever it is, it ends this process, and is said once
        said = f"{type(error).__name__}: {text_of(error)[:500]}"
        instrument.emit(WorkerFailed(spec.group, said, error))
        os._exit(1)
