"""A process that is kept alive, or is not there at the moment, with what is known of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, ForkProcess

from ..instrumentation.emitter import Instrument
from .child import STOPPING, be_a_child
from .company import FINISHED, Left
from .load import Limits
from .spec import ProcessSpec, Surroundings


@dataclass
class Slot:
    """A process for ``specs``; ``number``: see `Surroundings`, None for one that stands aside. Times are those of the
    clock that only goes on."""

    specs: list[ProcessSpec]
    number: int | None
    deaths: int = 0
    again_at: float = 0.0
    process: ForkProcess | None = None
    started: float = 0.0
    said: Connection | None = None
    has_finished: bool = False

    def start(
        self,
        context: ForkContext,
        instrument: Instrument,
        around: Surroundings,
        limits: Limits,
        now: float,
    ) -> None:
        """Fork. ``limits``: what one of several may take beside the others."""
        self.said, saying = context.Pipe(duplex=False)
        given = (self.specs, os.getpid(), instrument, self.number, around, saying, limits)
        self.process = context.Process(target=be_a_child, args=given, name=self.specs[0].name)
        _start(self.process)
        saying.close()  # or whoever is forked next would have it too
        self.started, self.has_finished = now, False

    def hear(self) -> list[Left]:
        """Who has left the process since this was last asked."""
        found: list[Left] = []
        try:
            while self.said is not None and self.said.poll():
                left = self.said.recv()
                if left == FINISHED:
                    self.has_finished = True
                else:
                    found.append(left)
        except (EOFError, OSError):
            self._stop_hearing()
        return found

    def end(self) -> int | None:
        """The process has ended; its exit code. What it has said was heard."""
        assert self.process is not None
        self.process.join()
        code = self.process.exitcode
        self.process.close()
        self.process = None
        self._stop_hearing()
        return code

    def take(self, name: str) -> ProcessSpec:
        """The worker of this name, which is not of this process any more."""
        (found,) = [one for one in self.specs if one.name == name]
        self.specs.remove(found)
        return found

    def _stop_hearing(self) -> None:
        if self.said is not None:
            self.said.close()
            self.said = None


def slots_of(dealt: Sequence[list[ProcessSpec]], numbers: Mapping[str, int]) -> list[Slot]:
    """A slot for each process. A worker alone has the number of its own, those together one beyond these."""
    return [
        Slot(specs, numbers[specs[0].name] if len(specs) == 1 else len(numbers) + at)
        for at, specs in enumerate(dealt)
    ]


def _start(process: ForkProcess) -> None:
    """Fork with the signals held back until the child has its own handlers: none may be lost in between."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def how_it_ended(code: int | None) -> str:
    """An exit code in words."""
    if code is None or code >= 0:
        return f"exit code {code}"
    known = {kind.value: kind.name for kind in signal.Signals}
    return f"signal {known.get(-code, -code)}"
