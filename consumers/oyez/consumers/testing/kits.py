"""The kit: an application in a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, Executable, text

from oyez.producers import Announcer
from oyez.producers.expiring import Expires
from oyez.producers.transport import Database as Transaction
from oyez.schemas import Event, Signal, decode

from ..database.engine import Database
from ..handlers.application import Application, Group
from ..handlers.recorded_handlers import register
from ..instrumentation.emitter import logging_instrument
from ..lanes.event_loop import EventLoop
from ..run.assembly import make_worker, retry_policy_from
from ..run.group_order import in_order
from ..run.group_pass import UNLIMITED, GroupPass
from ..run.lanes import lanes_for
from ..settings import ListenSettings
from ..tracing.watching import watched_application
from ..worker.retry_loop import Once
from ..worker.worker import Worker
from .announcers import KitAnnouncer
from .clock import Clock
from .deliveries import DeadDelivery, ParkedDelivery, dead_deliveries, parked_deliveries
from .failing import Failure, Failures, exception_of, handler_named
from .mails import QueuedMail, queued_mails
from .orders import AnyOrder, AsAnnounced, Order
from .pipes import Pipes
from .ran import Ran
from .scheduled import ScheduledEvent, scheduled_events
from .seeds import Seeds

R = TypeVar("R")
How = Literal["announced", "any"]


class Kit:
    """An application's handlers, its events and its database, in a time that passes when it is told to.

    `kit` and `live_kit` make one. Nothing happens between its runs. Several threads may use it; one run is at a time.
    """

    def __init__(
        self,
        application: Application,
        settings: ListenSettings,
        engine: Engine,
        clock: Clock,
        pipes: Pipes,
        seeds: Seeds,
    ) -> None:
        self.application = application
        self.settings = settings
        self.engine = engine
        """The engine of its database, for the application's own tables."""
        self.clock = clock
        self._database = Database(engine)
        self._pipes = pipes
        self._seeds = seeds
        self._failures = Failures()
        self._groups = in_order(watched_application(application, self._failures.watch))
        self._policy = replace(
            retry_policy_from(settings), spread=0.0
        )  # by chance no test would be the same twice
        self._announcers: dict[str, Announcer] = {}
        self._lock = threading.Lock()
        self._ran_at: float | None = None  # None until something was announced
        self.runs: list[Ran] = []
        """What its runs have done."""

    @property
    def first_seed(self) -> int:
        """The seed from which those of its runs follow that were given none."""
        return self._seeds.first

    @property
    def announcer(self) -> Announcer:
        """What announces into it: for code under test that is given one."""
        return self._announcer(self.settings.source)

    def announce(
        self,
        signal: Signal | type[Signal] | str | int,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        key: str | None = None,
        source: str | None = None,
        db: Transaction | None = None,
        at: datetime | None = None,
        after: timedelta | None = None,
        expires: Expires | None = None,
    ) -> str:
        """Announce one event, as `Announcer.announce` does; the answer is its id. ``source`` is the server that
        announces it: one and the same unless given."""
        announcer = self._announcer(source or self.settings.source)
        return announcer.announce(signal, data, key=key, db=db, at=at, after=after, expires=expires)

    def run(self, order: How = "announced", seed: int | None = None) -> Ran:
        """Handle all that was announced, what was released by it, what handlers have announced, and what is due, until
        there is nothing more to do now. What is left says what it waits for: see `Ran`. If nothing was announced since
        the last run, nothing was due, and no time has passed since, the answer is not true.

        ``order``: "announced", or "any" that Kafka may give to events of several sources and keys. A ``seed`` repeats
        one; without it there is another one each time, which a failing test shows.
        """
        with self._lock:
            ran = self._run(*self._order(order, seed))
            self.runs.append(ran)
            return ran

    async def run_async(self, order: How = "announced", seed: int | None = None) -> Ran:
        """The same in a thread, while the event loop goes on: for what handlers call that is served by it."""
        return await asyncio.to_thread(self.run, order, seed)

    def advance(self, seconds: float) -> None:
        """Let time pass: what was to be tried again by then is due in the next run."""
        self.clock.advance(seconds)

    def fail(
        self,
        handler: str | Callable[..., object],
        error: Exception | type[Exception],
        times: int | None = 1,
        when: Callable[[Any], object] = lambda _data: True,
    ) -> None:
        """Let a handler (its name or function) raise ``error`` in the next ``times`` attempts at each event, or None:
        always. ``when`` is given the event's data, and says whether it is one of those. Raises `HandlerUnknown`, and
        TypeError for what is no Exception: a worker would end of it, and it would be no attempt."""
        name = handler_named(self.application, handler)
        self._failures.add(name, Failure(exception_of(error), times, when))

    def mend(self, handler: str | Callable[..., object]) -> None:
        """Let a handler fail no more."""
        self._failures.forget(handler_named(self.application, handler))

    @property
    def announced(self) -> list[Event[Any]]:
        """All events so far, by whomever: the test, code under test, or handlers, those in the order of their runs.
        For kits in memory: ValueError elsewhere."""
        decoded = partial(decode, catalogue=self.application.signals)
        return [decoded(one.value, one.headers, one.key) for one in self._pipes.announced()]

    @property
    def parked(self) -> list[ParkedDelivery]:
        """Deliveries that wait, in the order of parking."""
        find = partial(parked_deliveries, app=self.application.name, signals=self.application.signals)
        return self._read(partial(find, now=self.clock.now))

    @property
    def dead(self) -> list[DeadDelivery]:
        """Deliveries that were given up."""
        signals = self.application.signals
        return self._read(partial(dead_deliveries, app=self.application.name, signals=signals))

    @property
    def scheduled(self) -> list[ScheduledEvent]:
        """What is to be announced later, the next first: it leaves in the run after its moment."""
        return self._read(partial(scheduled_events, signals=self.application.signals, now=self.clock.now))

    @property
    def mails(self) -> list[QueuedMail]:
        """What handlers have queued for `oyez mail send`. No kit sends mails."""
        return self._read(partial(queued_mails, app=self.application.name))

    def execute(self, statement: str | Executable, **values: object) -> None:
        """Execute a statement on its database, and commit."""
        with self.engine.begin() as db:
            db.execute(_executable(statement), values)

    def query(self, statement: str | Executable, **values: object) -> list[tuple[Any, ...]]:
        """The rows that a query on its database finds."""
        with self.engine.connect() as db:
            return [tuple(row) for row in db.execute(_executable(statement), values)]

    def close(self) -> None:
        """Let go of everything."""
        for announcer in self._announcers.values():
            announcer.close()
        self._pipes.close()

    def _announcer(self, source: str) -> Announcer:
        if source not in self._announcers:
            self._announcers[source] = KitAnnouncer(
                self._pipes.transport(),
                self.clock,
                source=source,
                topic=self.settings.topic,
                catalogue=self.application.signals,
                schema=self.settings.database_schema,
            )
        return self._announcers[source]

    def _order(self, order: How, seed: int | None) -> tuple[Order, int | None]:
        if order == "any":
            chosen = self._seeds.next() if seed is None else seed
            return AnyOrder(chosen), chosen
        if order != "announced":
            raise ValueError(f"run(order={order!r}): it is 'announced' or 'any'")
        return AsAnnounced(), None

    def _run(self, order: Order, seed: int | None) -> Ran:
        """Passes, until no handler has announced anything more."""
        stirred, broken, halted = False, dict[str, str](), dict[str, None]()
        handled = expired = 0
        for announcer in self._announcers.values():
            announcer.flush()
        self._database.repeat(lambda db: register(db, self.application, self.clock.now))
        while True:
            brought = self._pipes.bring(order)
            done = self._pass(order)
            stirred = stirred or brought > 0 or done.room < UNLIMITED or bool(done.broken)
            handled += done.handled
            expired += done.expired
            broken |= done.broken
            halted |= dict.fromkeys(done.halted)
            relayed = self._pipes.relay()
            if not relayed.events or relayed.problem is not None:
                idle = self._is_idle(stirred=stirred)
                left = self.parked, self.dead, broken, list(halted), relayed.problem
                return Ran(handled, *left, seed, idle, expired)

    def _is_idle(self, *, stirred: bool) -> bool:
        """Whether a run was for nothing: then the test may have announced elsewhere. Time that has passed is a reason
        to run again, once something was announced."""
        now, before = self.clock.now, self._ran_at
        if stirred or before is not None:
            self._ran_at = now
        return not stirred and before in (None, now)

    def _pass(self, order: Order) -> GroupPass:
        workers: list[Worker] = []
        try:
            for group in order.mixed(self._groups):
                workers.append(self._worker(group, order))
            done = GroupPass(workers, UNLIMITED)
            done.run()
            return done
        finally:
            for worker in workers:
                worker.leave()

    def _worker(self, group: Group, order: Order) -> Worker:
        loop = EventLoop(f"oyez-{group.name}")
        ours: Any = {"clock": self.clock, "passing": self.clock.passing, "policy": self._policy}
        return make_worker(
            group,
            self.settings,
            engine=self.engine,
            source=self._pipes.join(group, order),
            instrument=logging_instrument().with_subscriber(self._failures),
            retry_loop=Once,
            hears=False,
            lanes=lanes_for(group, self.settings, loop=loop, **ours),
            event_loop=loop,
            **ours,
        )

    def _read(self, find: Callable[[Connection], R]) -> R:
        with self._database.reading() as db:
            return find(db)


def _executable(statement: str | Executable) -> Executable:
    return text(statement) if isinstance(statement, str) else statement
