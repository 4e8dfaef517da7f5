"""The supervisor: the application is imported once, then one process is forked for each spec and kept alive."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Protocol

from oyez.producers.delays import Delays

from ..core.user_errors import text_of
from ..instrumentation.emitter import Instrument, logging_instrument
from ..instrumentation.events import WorkerDied, WorkerFailed, WorkerKilled

DELAYS = Delays(0.5, 5.0)  # until a worker that died is started again: see decision 128
STEADY = 60.0  # s after which a worker counts as healthy, and its earlier deaths are forgotten
GRACE = 30.0  # s that workers have to finish their batch


@dataclass(frozen=True)
class ProcessSpec:
    """A process that is kept alive: its name, its group, and what it does until it is told to stop."""

    name: str
    group: str
    work: Callable[[Callable[[], bool]], None]


@dataclass
class _Slot:
    spec: ProcessSpec
    process: ForkProcess | None = None
    started: float = 0.0
    deaths: int = 0
    again_at: float = field(default=0.0)


class Watch(Protocol):
    """Is told how a supervisor gets on."""

    def turn(self) -> None:
        """It comes round, several times a second."""

    def stop(self) -> None:
        """It was told to stop."""


class Unwatched:
    """Nobody is told."""

    def turn(self) -> None: ...

    def stop(self) -> None: ...


class Supervisor:
    """Keeps a process for each spec alive until a signal comes. What stands ``aside`` is started before the others
    and stopped after them."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        aside: Sequence[ProcessSpec] = (),
        instrument: Instrument | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._aside = [_Slot(spec) for spec in aside]
        self._working = [_Slot(spec) for spec in specs]
        self._instrument = instrument or logging_instrument()
        self._watch = watch or Unwatched()
        self._signal: int | None = None
        self._context = multiprocessing.get_context("fork")

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT; returns the signal's number."""
        before = {kind: signal.signal(kind, self._on_signal) for kind in STOPPING}
        gc.freeze()  # what was imported stays: the children need neither copy nor scan it
        try:
            while self._signal is None:
                self._start_due()
                self._watch.turn()
                self._wait()
        finally:
            self._watch.stop()
            self._stop(self._working)
            self._stop(self._aside)
            for kind, handler in before.items():
                signal.signal(kind, handler)
        return self._signal or 0

    @property
    def _slots(self) -> list[_Slot]:
        return [*self._aside, *self._working]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.process is None and slot.again_at <= now and self._signal is None:
                slot.process = self._context.Process(
                    target=_child, args=(slot.spec, os.getpid(), self._instrument), name=slot.spec.name
                )
                _start(slot.process)
                slot.started = now

    def _wait(self) -> None:
        running = {slot.process.sentinel: slot for slot in self._slots if slot.process is not None}
        for sentinel in wait(list(running), timeout=0.2) if running else ():
            self._ended(running[sentinel])  # type: ignore[index] # sentinels are ints here
        if not running:
            time.sleep(0.05)

    def _ended(self, slot: _Slot) -> None:
        assert slot.process is not None
        slot.process.join()
        code, now = slot.process.exitcode, time.monotonic()
        slot.process.close()
        slot.process = None
        if now - slot.started > STEADY:
            slot.deaths = 0
        if self._signal is not None:
            return  # a signal to the whole process group: it stopped as it should
        slot.deaths += 1
        delay = DELAYS.after(slot.deaths)
        slot.again_at = now + delay
        self._instrument.emit(WorkerDied(slot.spec.group, slot.spec.name, _how(code), delay))

    def _stop(self, slots: Sequence[_Slot]) -> None:
        running = [(slot.spec, slot.process) for slot in slots if slot.process is not None]
        for _, process in running:
            process.terminate()
        limit = time.monotonic() + GRACE
        for spec, process in running:
            process.join(max(0.0, limit - time.monotonic()))
            if process.is_alive():
                self._instrument.emit(WorkerKilled(spec.group, spec.name, GRACE))
                process.kill()
                process.join()


STOPPING = (signal.SIGTERM, signal.SIGINT)
YOUNG = (
    50_000  # objects; those of a batch are gone before the collector looks, which then finds nothing to do
)


def _start(process: ForkProcess) -> None:
    """Fork with the signals held back until the child has its own handlers: none may be lost in between."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    known = {kind.value: kind.name for kind in signal.Signals}
    return f"signal {known.get(-code, -code)}"


def _child(spec: ProcessSpec, parent: int, instrument: Instrument) -> None:
    """The process of a spec: SIGTERM ends it after its batch, and so does the death of its supervisor."""
    gc.set_threshold(YOUNG)
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    try:
        spec.work(lambda: bool(told) or os.getppid() != parent)
    except BaseException as error:  # noqa: BLE001 # whatever it is, it ends this process, and is said once
        said = f"{type(error).__name__}: {text_of(error)[:500]}"
        instrument.emit(WorkerFailed(spec.group, said, error))
        os._exit(1)
