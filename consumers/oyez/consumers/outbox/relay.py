"""BackgroundRelay: what stands in the outbox leaves, in order, and is deleted once the transport has acknowledged it.

Whoever dies in between leaves its rows, and they are sent again: the second copies are dropped by the inbox. So are
those of two who relay at once. Each sends in the order of the numbers, so that whatever arrives first of an event
arrives behind the first copies of what stands before it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from oyez.producers import Transport
from oyez.schemas import OyezError

from ..database import outbox
from ..database.engine import Database
from .lease import Lease
from .relay_page import Departures, Trip

log = logging.getLogger("oyez.outbox")

BATCH = 500


@dataclass(frozen=True, slots=True)
class Relayed:
    """What was done: how many events have left, why the rest did not (None if nothing is in the way), and whether
    somebody else is relaying."""

    events: int = 0
    problem: str | None = None
    busy: bool = False


class Relay:
    """Relays the outbox of one database. Not for several threads at once."""

    def __init__(
        self,
        database: Database,
        transport: Callable[[], Transport],
        lease: Lease,
        *,
        batch: int = BATCH,
        patience: float = 10.0,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """``transport`` is asked for one when there is something to send; it is this relay's alone.

        ``patience``: seconds that a batch may take to arrive. What has not by then has failed, all at once: if the
        transport gave up events one by one, a later one of a key could arrive without an earlier one.
        """
        self._database = database
        self._make = transport
        self._lease = lease
        self._batch = batch
        self._patience = patience
        self._clock = clock
        self._timer = timer
        self._departures: Departures | None = None
        self._noted = False

    def run(
        self,
        stop: Callable[[], bool] = lambda: False,
        *,
        limit: float = float("inf"),
        seconds: float = float("inf"),
        tell: Callable[[int], None] = lambda _events: None,
    ) -> Relayed:
        """Relay until nothing is left, or something is in the way; ``limit`` events and ``seconds`` at most.

        ``tell`` is told, again and again, how many have left. Raises `DatabaseAway`.
        """
        end = self._timer() + seconds
        events = 0
        while events < limit and not stop() and self._timer() <= end:
            # Asked again when the lease is given back: who finds it taken relies on its holder.
            if not self._has_any():
                break
            if not self._lease.take():
                return Relayed(events, busy=True)
            try:
                trip = Trip(limit - events)
                self._travel(trip, lambda: stop() or self._timer() > end, partial(_tell, tell, events))
                events += trip.events
                self._note(trip.problem)
            finally:
                self._lease.release()
            if trip.problem is not None:
                return Relayed(events, trip.problem)
        return Relayed(events)

    def close(self, timeout: float) -> None:
        """Let go of the transport."""
        if self._departures is not None:
            self._departures.close(timeout)

    def _has_any(self) -> bool:
        with self._database.reading() as db:
            waits, self._noted = outbox.look(db)
        return waits

    def _travel(self, trip: Trip, stop: Callable[[], bool], tell: Callable[[int], None]) -> None:
        """Once through the outbox. When nothing at all gets through it ends."""
        try:
            departures = self._opened()
        except OyezError as error:
            trip.problem = str(error)
            return
        stayed: set[int] = set()
        while trip.left > 0 and not stop() and self._lease.take():
            with self._database.reading() as db:
                rows = outbox.next_page(db, stayed, int(min(self._batch, trip.left)))
            if not rows:
                return
            departures.send(rows, trip)
            stayed |= {row.id for row in rows} - {*trip.arrived, *trip.refused}
            self._settle(trip)
            if trip.is_stuck:
                return
            tell(trip.events)

    def _settle(self, trip: Trip) -> None:
        """Delete what has arrived, and set aside what never will."""
        if trip.arrived or trip.refused:
            self._database.repeat(lambda db: _write(db, trip))
        for number, reason in trip.refused.items():
            log.error(
                "event %d of the outbox is refused: %s; it is set aside: oyez outbox status", number, reason
            )

    def _opened(self) -> Departures:
        if self._departures is None:
            self._departures = Departures(self._make(), self._patience)
        return self._departures

    def _note(self, problem: str | None) -> None:
        """Write a problem down for those who ask, and that it is over."""
        if problem is not None or self._noted:
            at = None if problem is None else self._clock()
            self._database.repeat(lambda db: outbox.note(db, problem, at))


def _write(db: Connection, trip: Trip) -> None:
    outbox.remove(db, trip.arrived)
    outbox.refuse(db, trip.refused)


def _tell(tell: Callable[[int], None], before: int, events: int) -> None:
    tell(before + events)
