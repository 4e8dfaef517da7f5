"""Relaying beside a worker's handling: a broker that is away holds up nobody but the relay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ..database.engine import DatabaseAway, one_line
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from .relay import Relay

FIRST, LONGEST = 0.2, 5.0  # s between attempts while something is in the way
LEAVING = 5.0  # s that a worker that stops waits for what is on its way


class BackgroundRelay(Protocol):
    """Relays the outbox when there may be something in it."""

    def wake(self) -> None:
        """There may be something. Never blocks."""

    def close(self) -> None:
        """Relay what is there, if that is quickly done, and end."""


class NoRelay:
    """Leaves the outbox to others."""

    def wake(self) -> None: ...

    def close(self) -> None: ...


class RelayThread:
    """Relays in a thread of its own, which begins with the first need for it."""

    def __init__(
        self,
        name: str,
        relay: Relay,
        instrument: Instrument,
        *,
        first: float = FIRST,
        longest: float = LONGEST,
    ) -> None:
        """``name``: of the group whose worker this is. ``first`` and ``longest``: seconds between attempts."""
        self._name = name
        self._relay = relay
        self._emit = instrument.emit
        self._first = first
        self._longest = longest
        self._delay = 0.0
        self._said = ""
        self._woken = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self._woken.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="oyez-relay", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(LEAVING)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._woken.wait()
            self._woken.clear()
            self._pass(self._stop.is_set)
            if self._delay:
                self._stop.wait(self._delay)
                self._woken.set()
        if not self._delay:
            self._pass(_never)
        self._relay.close(LEAVING)

    def _pass(self, stop: Callable[[], bool]) -> None:
        try:
            problem = self._relay.run(stop, seconds=LEAVING if self._stop.is_set() else float("inf")).problem
        except DatabaseAway:
            self._delay = self._longest  # the worker says so, and waits as well
            return
        except Exception as error:  # noqa: BLE001 # whatever it is: the events stay, and are sent later
            problem = f"{type(error).__name__}: {one_line(error)}"
        self._judge(problem)

    def _judge(self, problem: str | None) -> None:
        if problem is None:
            if self._said:
                self._emit(events.OutboxMovesOn(self._name))
            self._delay, self._said = 0.0, ""
            return
        if not self._said:
            self._emit(events.OutboxHeldUp(self._name, problem))
        self._said = problem
        self._delay = min(max(self._first, self._delay * 2), self._longest)


def _never() -> bool:
    return False
