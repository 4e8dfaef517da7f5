"""An announcer whose time is the kit's, also where a database has one of its own."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from oyez.producers import Announcer, Transport
from oyez.producers.outbox import Outbox

from .clock import Clock


class _KitOutbox(Outbox):
    """Whatever the server says: what is scheduled is released by the kit's clock."""

    def __init__(self, time: Clock, schema: str | None) -> None:
        super().__init__(time.nanoseconds, schema)
        self._time = time

    def now_in(self, db: Any) -> float:
        return self._time()


class KitAnnouncer(Announcer):
    """As `Announcer`; ``after=`` counts from the kit's time."""

    def __init__(self, transport: Transport, time: Clock, *, schema: str | None, **given: Any) -> None:
        super().__init__(transport, clock=time.nanoseconds, schema=schema, **given)
        self._time = time

    @cached_property
    def _outbox(self) -> Outbox:
        return _KitOutbox(self._time, self._schema)
