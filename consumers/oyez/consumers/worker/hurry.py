"""A worker that has been told to stop, and does not get on: it says where it is, and waits for no database any more."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from ..core.places import place_of
from ..database.dialects.lookup import dialect_named
from ..instrumentation import events
from ..instrumentation.emitter import Instrument

AFTER = 18.0  # s that a worker may take to stop, before its connections are ended; it is killed after 30
LANES_END = 6.0  # s; what lanes need at most to end what did not finish in their grace
LOOK = 0.5  # s


class Hurry:
    """A thread beside a worker. When that has been told to stop for ``after`` seconds and still works, it is said where
    it is, and the connections that it uses are ended: what waits there for somebody's lock comes back, undone.

    It ends with the block that it is entered for.
    """

    def __init__(
        self,
        group: str,
        engine: Engine,
        stopped: Callable[[], bool],
        instrument: Instrument,
        *,
        after: float = AFTER,
    ) -> None:
        self._group = group
        self._dialect = dialect_named(engine.dialect.name)
        self._stopped = stopped
        self._emit = instrument.emit
        self._after = after
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
        while not self._stopped():
            if self._over.wait(LOOK):
                return
        if self._over.wait(self._after):
            return
        self._emit(events.SlowToStop(self._group, self._after, place_of(sys._current_frames()[self._worker])))  # noqa: SLF001 # Python has no other way
        while True:
            for connection in list(self._used):
                self._dialect.abort(connection)
            if self._over.wait(LOOK):
                return


def after(grace: float, *, is_concurrent: bool) -> float:
    """The seconds after which the worker of a group hurries. Lanes have their grace first, and that is no hold-up."""
    return max(AFTER, grace + LANES_END) if is_concurrent else AFTER
