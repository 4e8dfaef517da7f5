"""A worker that has been told to stop, and does not get on: it says where it is, and waits for no database any more."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from ..core.places import place_of
from ..core.stop_signals import Told
from ..database.dialects.lookup import dialect_named
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..processes.supervisor import GRACE

AFTER = 18.0  # s that a worker may take to stop, before its connections are ended
LANES_END = 6.0  # s; what lanes need at most to end what did not finish in their grace
LAST = GRACE - 3.0  # s; later there is no time to roll back before it is killed, whatever grace lanes have
LOOK = 0.5  # s


class Hurry:
    """A thread beside a worker. When that was told to stop and still works after its `patience`, it is said where it
    is, and the connections that it uses are ended: what waits there for somebody's lock comes back, undone.

    It ends with the block that it is entered for.
    """

    def __init__(
        self,
        group: str,
        engine: Engine,
        told: Told,
        instrument: Instrument,
        *,
        grace_ends: Callable[[], float | None],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """``grace_ends``: when its lanes have had their grace, by the timer; None as long as that has not begun."""
        self._group = group
        self._dialect = dialect_named(engine.dialect.name)
        self._told = told
        self._emit = instrument.emit
        self._grace_ends = grace_ends
        self._timer = timer
        self._has_said = False
        self._over = threading.Event()
        self._used: set[Any] = set()
        self._worker = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="oyez-hurry", daemon=True)
        event.listen(engine, "checkout", lambda connection, _record, _proxy: self._use(connection))
        event.listen(engine, "checkin", lambda connection, _record: self._used.discard(connection))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _use(self, connection: Any) -> None:
        """Others may use the engine too."""
        if threading.get_ident() == self._worker:
            self._used.add(connection)

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            if self._told():
                self._look()

    def _look(self) -> None:
        """Whether it is time is asked each time: a worker that comes back, and then lets its lanes finish, has time."""
        seconds, ends = self._told.seconds(), self._grace_ends()
        allowed = patience(None if ends is None else seconds + ends - self._timer())
        if seconds < allowed:
            return
        if not self._has_said:
            self._has_said = True
            place = place_of(sys._current_frames()[self._worker])  # noqa: SLF001 # Python has no other way
            self._emit(events.SlowToStop(self._group, allowed, place))
        for connection in list(self._used):
            self._dialect.abort(connection)


def patience(grace_ends: float | None) -> float:
    """The seconds that a worker may take to stop, of which its lanes have their grace until ``grace_ends``; None: it
    has not begun yet. It begins with the end of the batch in hand, and is no hold-up."""
    return AFTER if grace_ends is None else min(LAST, max(AFTER, grace_ends + LANES_END))
