"""Relaying beside a worker's handling: a broker that is away holds up nobody but the relay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from oyez.producers.database_errors import one_line
from oyez.producers.delays import Delays
from oyez.producers.pass_thread import Next, PassThread

from ..database.engine import DatabaseAway
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from .relay import Relay

DELAYS = Delays(0.2, 5.0)  # between attempts while something is in the way
LONGEST = 3_600.0  # s between two looks at what is scheduled
LEAVING = 5.0  # s that a worker that stops waits for what is on its way


class BackgroundRelay(Protocol):
    """Relays the outbox when there may be something in it."""

    def wake(self) -> str | None:
        """There may be something. Never blocks."""

    def close(self) -> None:
        """Relay what is there, if that is quickly done, and end."""


class NoRelay:
    """Leaves the outbox to others."""

    def wake(self) -> None: ...

    def close(self) -> None: ...


class RelayThread(PassThread):
    """Relays in a thread of its own, which begins with the first need for it."""

    def __init__(self, name: str, relay: Relay, instrument: Instrument, *, delays: Delays = DELAYS) -> None:
        """``name``: of the group whose worker this is. ``delays``: between attempts while something is in the way."""
        super().__init__("oyez-relay", lambda: _RelayPasses(name, relay, instrument, delays))

    def close(self) -> None:
        self.finish(LEAVING)


class _RelayPasses:
    """Passes over the outbox. That something is in the way is said once, and when it is over."""

    def __init__(self, name: str, relay: Relay, instrument: Instrument, delays: Delays) -> None:
        self._name = name
        self._relay = relay
        self._emit = instrument.emit
        self._delays = delays
        self._failed = 0
        self._is_away = False

    def run(self, stop: Callable[[], bool], is_last: bool, /) -> Next:
        """Relay what is there. What was in the way before is not waited for in the last pass."""
        if is_last and (self._failed or self._is_away):
            return Next()
        try:
            done = self._relay.run(stop, seconds=LEAVING if is_last else float("inf"))
            problem, due_in = done.problem, done.due_in
        except DatabaseAway:
            self._is_away = True  # the worker says so, and waits as well
            return Next(pause=self._delays.longest)
        except BaseException as error:  # noqa: BLE001 # whatever it is: the events stay, and are sent later
            problem, due_in = f"{type(error).__name__}: {one_line(error)}", None
        self._is_away = False
        return self._next(problem, due_in)

    def close(self) -> None:
        self._relay.close(LEAVING)

    def _next(self, problem: str | None, due_in: float | None) -> Next:
        before, self._failed = self._failed, 0 if problem is None else self._failed + 1
        if problem is None:
            if before:
                self._emit(events.OutboxMovesOn(self._name))
            return Next(within=None if due_in is None else min(due_in, LONGEST))
        if not before:
            self._emit(events.OutboxHeldUp(self._name, problem))
        return Next(pause=self._delays.after(self._failed))
