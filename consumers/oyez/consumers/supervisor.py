"""The supervisor: the application is imported once, then one process is forked for each group and worker."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from types import FrameType

from .application import Group

log = logging.getLogger("oyez.supervisor")

FIRST_DELAY = 0.5  # s until a worker that died is started again; doubled up to
LONGEST_DELAY = 30.0
STEADY = 60.0  # s after which a worker counts as healthy, and its delay is forgotten
GRACE = 30.0  # s that workers have to finish their batch

Work = Callable[[Group, Callable[[], bool]], None]
"""What a child does: handle a group until told to stop."""


@dataclass
class _Slot:
    group: Group
    number: int
    process: ForkProcess | None = None
    started: float = 0.0
    delay: float = FIRST_DELAY
    again_at: float = field(default=0.0)

    @property
    def name(self) -> str:
        return f"{self.group.name}[{self.number}]"


class Supervisor:
    """Keeps ``workers`` processes for each group alive until a signal comes."""

    def __init__(self, groups: Sequence[Group], workers: int, work: Work) -> None:
        self._slots = [_Slot(group, number) for group in groups for number in range(workers)]
        self._work = work
        self._signal: int | None = None
        self._context = multiprocessing.get_context("fork")

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT; returns the signal's number."""
        before = {kind: signal.signal(kind, self._on_signal) for kind in STOPPING}
        gc.freeze()  # what was imported stays: the children need neither copy nor scan it
        try:
            while self._signal is None:
                self._start_due()
                self._wait()
        finally:
            self._stop_all()
            for kind, handler in before.items():
                signal.signal(kind, handler)
        return self._signal or 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.process is None and slot.again_at <= now and self._signal is None:
                slot.process = self._context.Process(
                    target=_child, args=(self._work, slot.group, os.getpid()), name=slot.name
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
            slot.delay = FIRST_DELAY
        if self._signal is not None:
            return  # a signal to the whole process group: it stopped as it should
        slot.again_at = now + slot.delay
        log.error("%s ended with %s; starting it again in %.1f s", slot.name, _how(code), slot.delay)
        slot.delay = min(slot.delay * 2, LONGEST_DELAY)

    def _stop_all(self) -> None:
        running = [slot.process for slot in self._slots if slot.process is not None]
        for process in running:
            process.terminate()
        limit = time.monotonic() + GRACE
        for process in running:
            process.join(max(0.0, limit - time.monotonic()))
            if process.is_alive():
                log.error("%s did not stop within %.0f s; killing it", process.name, GRACE)
                process.kill()
                process.join()


STOPPING = (signal.SIGTERM, signal.SIGINT)


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


def _child(work: Work, group: Group, parent: int) -> None:
    """A worker process: SIGTERM ends it after its batch, and so does the death of its supervisor."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    try:
        work(group, lambda: bool(told) or os.getppid() != parent)
    except Exception as error:
        log.error("%s: %s: %s", group.name, type(error).__name__, " ".join(str(error).split())[:500])
        log.debug("%s", group.name, exc_info=True)
        os._exit(1)
