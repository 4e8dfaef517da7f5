"""The supervisor: the application is imported once, then processes are forked for the workers and kept alive."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from types import FrameType

from oyez.producers.delays import Delays

from ..instrumentation.emitter import Instrument, logging_instrument
from ..instrumentation.events import WorkerDied, WorkerKilled
from .child import STOPPING
from .company import Left
from .dealing import deal
from .load import Limits
from .slot import Slot, how_it_ended, slots_of
from .spec import Bare, ProcessSpec, Surroundings, Unwatched, Watch

DELAYS = Delays(0.5, 5.0)  # until a worker that died is started again: see decision 128
STEADY = 60.0  # s after which a worker counts as healthy, and its earlier deaths are forgotten
GRACE = 30.0  # s that workers have to finish their batch
GRACE_ASIDE = (
    3.0  # s for what stands aside, after them: whoever stops us allows for little more than for the workers
)


class Supervisor:
    """Keeps the workers alive until a signal comes, in so many processes at first. What stands ``aside`` is started
    before them, in a process each, and stopped after them.

    Whoever shared a process that died has one of its own from then on: nobody is to be blamed again for what another
    worker has done, or to be ended by it.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        processes: int | None = None,
        aside: Sequence[ProcessSpec] = (),
        instrument: Instrument | None = None,
        watch: Watch | None = None,
        around: Surroundings | None = None,
        limits: Limits | None = None,
    ) -> None:
        """``processes``: for the workers, at first and at most; None: one for each. ``limits``: what one may take
        beside others before it gets one of its own."""
        self._numbers = {spec.name: at for at, spec in enumerate(specs)}
        self._aside = [Slot([spec], None) for spec in aside]
        self._working = slots_of(deal(specs, processes), self._numbers)
        self._instrument = instrument or logging_instrument()
        self._watch = watch or Unwatched()
        self._around = around or Bare()
        self._limits = limits or Limits()
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
            self._stop(self._working, GRACE)
            self._stop(self._aside, GRACE_ASIDE)
            for kind, handler in before.items():
                signal.signal(kind, handler)
        return self._signal or 0

    @property
    def _slots(self) -> list[Slot]:
        return [*self._aside, *self._working]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.process is None and slot.again_at <= now and self._signal is None:
                slot.start(self._context, self._instrument, self._around, self._limits, now)

    def _wait(self) -> None:
        running = {slot.process.sentinel: slot for slot in self._slots if slot.process is not None}
        saying = {slot.said: slot for slot in running.values() if slot.said is not None}
        ready = wait([*saying, *running], timeout=0.2) if running else ()
        for slot in [saying[one] for one in ready if one in saying]:
            self._move(slot, slot.hear())
        for slot in [running[one] for one in ready if one in running]:
            self._ended(slot)
        if not running:
            time.sleep(0.05)

    def _move(self, slot: Slot, left: Sequence[Left]) -> None:
        """Give those who have left a process that goes on one of their own."""
        for name, has_failed in left:
            moved = self._apart(slot.take(name))
            if has_failed:
                self._again(moved, "an error")

    def _apart(self, spec: ProcessSpec) -> Slot:
        made = Slot([spec], self._numbers[spec.name])
        self._working.append(made)
        return made

    def _ended(self, slot: Slot) -> None:
        self._move(slot, slot.hear())
        how = how_it_ended(slot.end())
        if slot.number is not None:
            self._around.ended(slot.number)
        if time.monotonic() - slot.started > STEADY:
            slot.deaths = 0
        if self._signal is not None:
            return  # a signal to the whole process group: it stopped as it should
        if len(slot.specs) > 1 and not slot.has_finished:
            self._working.remove(slot)
            for spec in slot.specs:
                self._again(self._apart(spec), how)
        elif slot.specs:
            self._again(slot, how)
        else:
            self._working.remove(slot)

    def _again(self, slot: Slot, how: str) -> None:
        """Start it again, after a while."""
        slot.deaths += 1
        delay = DELAYS.after(slot.deaths)
        slot.again_at = time.monotonic() + delay
        for spec in slot.specs:
            self._instrument.emit(WorkerDied(spec.group, spec.name, how, delay))

    def _stop(self, slots: Sequence[Slot], seconds: float) -> None:
        running = [(slot, slot.process) for slot in slots if slot.process is not None]
        for _, process in running:
            process.terminate()
        limit = time.monotonic() + seconds
        for slot, process in running:
            process.join(max(0.0, limit - time.monotonic()))
            if process.is_alive():
                for spec in slot.specs:
                    self._instrument.emit(WorkerKilled(spec.group, spec.name, seconds))
                process.kill()
                process.join()
