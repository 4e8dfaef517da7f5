"""Relay: what stands in the outbox leaves, in order, and is deleted once the transport has acknowledged it.

Whoever dies in between leaves its rows, and they are sent again: the second copies are dropped by the inbox. So are
those of two who relay at once. Each sends in the order of the numbers, so that whatever arrives first of an event
arrives behind the first copies of what stands before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from oyez.producers import Transport
from oyez.producers.loggers import logger_named
from oyez.producers.ordered_sender import KeyOrder, OrderedSender
from oyez.schemas import OyezError

from ..database import outbox, scheduled
from ..database.clock import Clock, DatabaseClock
from ..database.engine import Database
from .lease import LEASE, Lease
from .others import LeavesOthers, NoOthers, Others
from .relay_page import Page, relay_page

log = logger_named("oyez.outbox")

BATCH = 500


@dataclass(frozen=True, slots=True)
class Relayed:
    """What was done: how many events have left, why the rest did not (None if nothing is in the way), whether
    somebody else is relaying, and in how many seconds there is to be another look at what is scheduled, if anything."""

    events: int = 0
    problem: str | None = None
    busy: bool = False
    due_in: float | None = None


class Relay:
    """Relays the outbox of one database. Not for several threads at once."""

    def __init__(
        self,
        database: Database,
        transport: Callable[[], Transport],
        lease: Lease,
        *,
        batch: int = BATCH,
        timeout: float = 10.0,
        clock: Clock | None = None,
        timer: Callable[[], float] = time.monotonic,
        others: Others | None = None,
    ) -> None:
        """``transport`` is asked for one when there is something to send; it is this relay's alone. One that
        `LeavesOthers` is given its own application's events only; ``others`` are those that were found before.

        ``timeout``: seconds that a batch may take to arrive. What has not by then has failed, all at once: if the
        transport gave up events one by one, a later one of a key could arrive without an earlier one.
        """
        self._database = database
        self._make = transport
        self._lease = lease
        self._batch = batch
        self._timeout = timeout
        self._clock = clock or DatabaseClock()
        self._timer = timer
        self._sender: OrderedSender | None = None
        self._others = others or NoOthers()
        self._noted = False
        self._due_in: float | None = None

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
                later = None if self._due_in is None else max(self._due_in, LEASE / 5)
                return Relayed(events, busy=True, due_in=later)
            try:
                done = self._pass(events, limit, lambda: stop() or self._timer() > end, tell)
                self._note(done.problem)
            finally:
                self._lease.release()
            if done.problem is not None:
                return done
            events = done.events
        return Relayed(events, due_in=self._due_in)

    def close(self, timeout: float) -> None:
        """Let go of the transport, in ``timeout`` seconds."""
        if self._sender is not None:
            self._sender.close(timeout)

    def _has_any(self) -> bool:
        with self._database.reading() as db:
            self._others.forget_what_is_gone(db)
            found = outbox.look(db, self._others.rows)
            self._noted = found.noted
            self._due_in = None if found.next_due is None else max(0.0, found.next_due - self._clock(db))
        return found.waits or self._due_in == 0.0

    def _pass(
        self, events: int, limit: float, stop: Callable[[], bool], tell: Callable[[int], None]
    ) -> Relayed:
        """Once through the outbox, ``events`` having left before. When nothing at all gets through it ends."""
        try:
            sender = self._opened()
        except OyezError as error:
            return Relayed(events, str(error))
        order, stayed, problem = KeyOrder(), set[int](), None
        while events < limit and not stop() and self._lease.take():
            self._release()
            with self._database.reading() as db:
                found = outbox.next_page(
                    db, stayed | self._others.rows, int(min(self._batch, limit - events))
                )
            if not found:
                break
            rows = self._others.sift(found)
            page = relay_page(sender, rows, order, self._timeout)
            self._settle(page)
            stayed |= {row.id for row in rows} - {*page.arrived, *page.refused}
            events += len(page.arrived)
            problem = problem or page.problem
            if page.is_stuck:
                break
            tell(events)
        return Relayed(events, problem)

    def _release(self) -> None:
        """Move what is due by now into the outbox, as many events as it sends at once."""
        if self._due_in == 0.0 and self._database.repeat(self._move) < self._batch:
            self._due_in = None  # it is looked for again after the pass

    def _move(self, db: Connection) -> int:
        return scheduled.release(db, self._clock(db), self._batch)

    def _settle(self, page: Page) -> None:
        """Delete what has arrived, and quarantine what never will."""
        if page.arrived or page.refused:
            self._database.repeat(lambda db: _write(db, page))
        for number, reason in page.refused.items():
            log.error(
                "event %d of the outbox is refused: %s; it is quarantined: oyez outbox status", number, reason
            )

    def _opened(self) -> OrderedSender:
        if self._sender is None:
            transport = self._make()
            if isinstance(transport, LeavesOthers):
                self._others = transport.others
            self._sender = OrderedSender(transport)
        return self._sender

    def _note(self, problem: str | None) -> None:
        """Write a problem down for those who ask, and that it is over."""
        if problem is not None or self._noted:
            self._database.repeat(
                lambda db: outbox.note(db, problem, None if problem is None else self._clock(db))
            )


def _write(db: Connection, page: Page) -> None:
    outbox.remove(db, page.arrived)
    outbox.refuse(db, page.refused)
