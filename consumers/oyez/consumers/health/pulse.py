"""How one process gets on, as its own work sees it."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..instrumentation import events
from .beat import Beat


class Pulse:
    """What becomes a `Beat`. ``limit``: seconds without progress that are too many; ``clock`` counts seconds."""

    def __init__(self, name: str, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self.limit = limit
        self._clock = clock
        self._turned = self._progress = self._since = clock()
        self.doing = "starting"
        self.why = ""
        self.halted: tuple[str, ...] = ()
        self._waits: dict[str, str] = {}

    @property
    def turned(self) -> float:
        """When it last came round."""
        return self._turned

    def turn(self) -> None:
        """It comes round."""
        self._turned = self._clock()

    def get_on(self) -> None:
        """It has got on, or has nothing to do."""
        self._turned = self._progress = self._clock()

    def begin_anew(self) -> None:
        """It has the whole time again, for whatever it is about."""
        self._since = self._clock()
        self.get_on()

    def begin(self, doing: str) -> None:
        """It is about something else from now on."""
        if self.doing != doing:
            self.doing, self._since, self.why = doing, self._clock(), ""
        self.get_on()

    def wait_for(self, what: str, reason: str) -> None:
        """It waits for something that a restart does not bring; the reason is empty when it waits no more."""
        if reason:
            self._waits[what] = reason
        elif self._waits.pop(what, ""):
            self.begin_anew()

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for something that a restart does not bring."""
        return bool(self._waits)

    def beat(self, pid: int, born: int, place: str = "", *, is_in_handler: bool = False) -> Beat:
        """What is to be said now; ``place`` is where it is, if it does not come round."""
        return Beat(
            name=self._name,
            pid=pid,
            born=born,
            limit=self.limit,
            at=self._clock(),
            turned=self._turned,
            progress=self._progress,
            doing=self.doing,
            since=self._since,
            waits=next(iter(self._waits.values()), ""),
            halted=self.halted,
            why=place or self.why,
            is_in_handler=is_in_handler,
        )


class WorkerPulse(Pulse):
    """A worker's, by what it tells of itself."""

    _has_joined = False

    def receive(self, event: events.InstrumentationEvent) -> None:
        match event:
            case events.Lagging():
                self.turn()
            case events.BatchHandled() | events.RowsRun():
                self.get_on()
            case events.LogAsked():
                self._hear(event)
            case events.WorkerStarted():
                self.begin("joining")
            case events.LogJoined():
                self._has_joined = True
                self.begin("working")
            case events.DatabaseLost():
                self.wait_for("database", event.error)
            case events.DatabaseBack():
                self.wait_for("database", "")
            case events.HandlersFoundBroken():
                self.wait_for("handlers", event.error)
            case events.HandlersRepaired():
                self.wait_for("handlers", "")

    def _hear(self, event: events.LogAsked) -> None:
        """What the log says. That there is nothing to do is believed of nobody else."""
        self.halted = event.halted
        waits = event.standing in {"silent", "absent"}
        self.wait_for("log", event.why if waits else "")
        if event.standing == "outside":
            self.begin("joining") if self._has_joined and self.doing != "joining" else self.turn()
        elif not waits and self._has_joined and self.doing == "joining":
            self.begin("working")
        if event.standing == "done" or event.has_moved:
            self.get_on()
        self.why = event.why
