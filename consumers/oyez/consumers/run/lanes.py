"""The lanes of a worker, as its group's handlers ask for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Engine

from ..core.apart import OWN, ProcessKind
from ..core.backoff import RetryPolicy
from ..core.tool_context import Passing
from ..database.clock import Clock, DatabaseClock
from ..database.engine import Database
from ..execution.execution import Execution
from ..execution.pauses import Pauses
from ..handlers.application import Group
from ..handlers.registry import Handler
from ..instrumentation.emitter import Instrument, logging_instrument
from ..lanes.choosing import Choosing
from ..lanes.dispatcher import Dispatcher, Ended, MakePool
from ..lanes.event_loop import EventLoop
from ..lanes.lane import Lane, LaneDatabase
from ..lanes.lanes import Lanes, WorkerLanes
from ..lanes.threads import Threads
from ..settings import ListenSettings
from ..worker.retry_loop import RetryLoop
from .assembly import journal_for, retry_policy_from
from .engines import lane_engine_from

LANE_BUDGET = 0.05  # s; what a lane has for rows that it runs together
LONE_LANE = 1
"""Where there is one writer, a second lane would only wait for the first."""


def lanes_for(
    group: Group,
    settings: ListenSettings,
    instrument: Instrument | None = None,
    process: ProcessKind = OWN,
    loop: EventLoop | None = None,
    timer: Callable[[], float] = time.monotonic,
    handlers: Sequence[Handler] | None = None,
    clock: Clock | None = None,
    policy: RetryPolicy | None = None,
    passing: Passing | None = None,
) -> WorkerLanes | None:
    """The lanes of a worker of this group, with a dispatcher for each of these ``handlers``, or of all that are
    concurrent; None if none is. ``clock`` is the database's unless given, ``policy`` as the settings say,
    ``passing`` as for `Execution`; ``loop``: what is awaited runs on it, or on one of their own. They close it."""
    concurrent = group.concurrent if handlers is None else handlers
    if not concurrent:
        return None
    event_loop = loop or EventLoop(f"oyez-{group.name}")
    chosen = policy or retry_policy_from(settings)
    making = _Making(group, settings, clock or DatabaseClock(), process, event_loop, timer, chosen, passing)
    return Lanes(
        lambda ended: [making.dispatcher(handler, ended) for handler in concurrent],
        RetryLoop(group.name, instrument or logging_instrument()),
        group=group.name,
        grace=settings.grace,
        timer=timer,
        release=event_loop.close,
    )


def connections_of(group: Group) -> int:
    """How many connections to the database the lanes of one of its workers may use at once: one for each, and one to
    choose for each handler. Lanes in memory use none."""
    is_in_database = group.is_exact or any(handler.uses_database for handler in group.handlers)
    return sum((one.concurrency or 0) + 1 for one in group.concurrent) if is_in_database else 0


class _Making:
    def __init__(
        self,
        group: Group,
        settings: ListenSettings,
        clock: Clock,
        process: ProcessKind,
        loop: EventLoop,
        timer: Callable[[], float],
        policy: RetryPolicy,
        passing: Passing | None,
    ) -> None:
        self._group = group
        self._settings = settings
        self._policy = policy
        self._passing = passing
        self._clock = clock
        self._process = process
        self._loop = loop
        self._timer = timer

    def dispatcher(self, handler: Handler, ended: Callable[[Ended], None]) -> Dispatcher:
        assert handler.concurrency is not None
        is_async = handler.signature.is_async
        plain = lane_engine_from(self._settings, handler.concurrency, asynchronous=False)
        lanes = (
            lane_engine_from(self._settings, handler.concurrency, asynchronous=True) if is_async else plain
        )
        database = Database(plain)
        pauses = Pauses(database, self._group, self._timer)
        return Dispatcher(
            handler,
            Choosing(self._group, handler, database, self._clock, self._process, pauses, self._timer),
            partial(self._lane, lanes, await_sleep if is_async else time.sleep, pauses),
            self._pool(handler, plain, lanes),
            ended,
            lanes=handler.concurrency if database.dialect.locks_rows else LONE_LANE,
            timer=self._timer,
        )

    def _pool(self, handler: Handler, plain: Engine, lanes: Engine) -> MakePool:
        if handler.signature.is_async:
            return _on(self._loop, _both(plain, lanes))
        return partial(Threads, f"oyez-{handler.name}", plain.dispose)

    def _lane(self, engine: Engine, sleep: Callable[[float], None], pauses: Pauses) -> Lane:
        def execution(database: Database) -> Execution:
            return Execution(
                self._group,
                database,
                settings=self._settings,
                policy=self._policy,
                budget=LANE_BUDGET,
                clock=self._clock,
                sleep=sleep,
                timer=self._timer,
                pauses=pauses,
                journal=journal_for(self._group, self._settings),
                passing=self._passing,
            )

        return Lane(
            execution,
            lambda stopping: LaneDatabase(engine, sleep=sleep, stopping=stopping),
            self._timer,
        )


def _both(plain: Engine, awaiting: Engine) -> Callable[[], None]:
    def release() -> None:
        plain.dispose()
        awaiting.dispose()

    return release


def _on(loop: EventLoop, release: Callable[[], None]) -> MakePool:
    from ..lanes.loop import Loop  # noqa: PLC0415 # needs greenlet, which is an extra

    return partial(Loop, loop, release)


def await_sleep(seconds: float) -> None:
    """`time.sleep` for whoever is in a greenlet on an event loop."""
    from sqlalchemy.util import await_only  # noqa: PLC0415 # as above

    await_only(asyncio.sleep(seconds))
