"""The workers of one process: each in a thread, so that one which waits holds up nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..core.apart import MovesApart, SharedProcess
from ..core.user_errors import text_of
from ..instrumentation.emitter import Instrument
from ..instrumentation.events import WorkerFailed, WorkerMoves
from .load import Limits, Load
from .spec import Place, ProcessSpec

LOOK = 0.2  # s; how late it may be noticed that a thread has ended


class Left(NamedTuple):
    """A worker has ended before its process: by its name. ``failed``: an error ended it."""

    name: str
    failed: bool


FINISHED = "finished"
"""What is said when all have ended as they should."""


class Member:
    """A worker in a thread. ``stopped`` says whether the process is to stop."""

    def __init__(self, spec: ProcessSpec, stopped: Callable[[], bool], instrument: Instrument) -> None:
        self.spec = spec
        self._stopped = stopped
        self._emit = instrument.emit
        self._why = ""
        self._processor: int | None = None
        self.left: Left | None = None
        """What is to be said of its end, if the process goes on."""

        self._thread = threading.Thread(target=self._run, name=spec.name)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def processor_time(self) -> float:
        """Seconds of a processor that it has taken."""
        try:
            return 0.0 if self._processor is None else time.clock_gettime(self._processor)
        except OSError:  # it has just ended
            return 0.0

    def move(self, why: str) -> None:
        """It finishes its batch, and goes on in a process of its own."""
        self._why = why

    def join(self, seconds: float) -> None:
        """Wait for its end for so long."""
        self._thread.join(seconds)

    def _run(self) -> None:
        self._processor = time.pthread_getcpuclockid(threading.get_ident())
        try:
            self.spec.work(Place(lambda: bool(self._why) or self._stopped(), SharedProcess()))
        except MovesApart as moves:
            self._why = str(moves)
        except BaseException as error:  # noqa: BLE001 # whatever it is, it ends this worker, and is said once
            said = f"{type(error).__name__}: {text_of(error)[:500]}"
            self._emit(WorkerFailed(self.spec.group, said, error))
            self.left = Left(self.spec.name, failed=True)
            return
        if self._why:
            self._emit(WorkerMoves(self.spec.group, self.spec.name, self._why))
            self.left = Left(self.spec.name, failed=False)


def run_together(
    specs: Sequence[ProcessSpec],
    stopped: Callable[[], bool],
    instrument: Instrument,
    tell: Callable[[Left], None],
    limits: Limits,
) -> None:
    """Be these workers until ``stopped()``, and until each has finished its batch. ``tell`` is told who leaves.
    ``limits``: what one may take beside others.

    When an error ends one, the others finish their batches too, and the process ends: what it has left behind, such as
    a client that still counts as its group's member, ends with the process only.
    """
    failed: list[Left] = []
    members = [Member(spec, lambda: bool(failed) or stopped(), instrument) for spec in specs]
    load = Load(limits)
    while members:
        members[0].join(LOOK)
        _make_room(members, load)
        for member in [one for one in members if not one.is_alive]:
            members.remove(member)
            if member.left is not None:
                tell(member.left)
                failed += [member.left] if member.left.failed else []


def _make_room(members: Sequence[Member], load: Load) -> None:
    """See that nobody who is busy holds up the others."""
    found = load.too_busy(lambda: {one.spec.name: one.processor_time for one in members})
    for member in members:
        if found is not None and member.spec.name == found[0]:
            member.move(found[1])
