"""Listening until a number of events is handled: one pass over some groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from sqlalchemy import Engine

from oyez.producers.loggers import logger_named

from ..database import parked_age
from ..database.engine import Database
from ..handlers.application import Group
from ..instrumentation.emitter import Instrument, logging_instrument
from ..lanes.event_loop import EventLoop
from ..logs.log import Log
from ..settings import ListenSettings
from ..worker.retry_loop import Once
from ..worker.worker import Worker
from .assembly import log_for, make_worker, relay_for
from .engines import journaling_engine_from
from .group_order import in_order
from .group_pass import GroupPass
from .lanes import lanes_for
from .listened import Listened, check_limit

log = logger_named("oyez.listen")

LogFor = Callable[[Group, ListenSettings, Engine], Log]


def one_pass(
    groups: Sequence[Group],
    settings: ListenSettings,
    limit: int,
    stopped: Callable[[], bool] = lambda: False,
    log_for: LogFor = log_for,
    instrument: Callable[[], Instrument] = logging_instrument,
) -> Listened:
    """One pass over these groups, or until ``stopped()``: then what is begun is finished. ``instrument`` makes what
    hears of it, for each worker."""
    check_limit(limit)
    engine = journaling_engine_from(settings)
    workers: list[Worker] = []
    try:
        for group in _in_order(groups):
            source = log_for(group, settings, engine)
            loop = EventLoop(f"oyez-{group.name}")
            workers.append(
                make_worker(
                    group,
                    settings,
                    engine=engine,
                    source=source,
                    retry_loop=Once,
                    lanes=lanes_for(group, settings, loop=loop),
                    event_loop=loop,
                    instrument=instrument(),
                )
            )
        bounded = GroupPass(workers, limit, stopped)
        bounded.run()
        _relay(settings, engine, stopped)
        with Database(engine).reading() as db:
            names = [group.name for group in groups]
            waiting, has_failed = parked_age.events(db, names), parked_age.has_failed(db, names)
        left, halted, unsaid = bounded.count_left(), tuple(bounded.halted), tuple(bounded.unsaid)
        broken, expired = bounded.broken, bounded.expired
        return Listened(bounded.handled, left, waiting, broken, halted, unsaid, expired, has_failed)
    finally:
        with ExitStack() as last_first:
            last_first.callback(engine.dispose)
            for worker in reversed(workers):
                last_first.callback(worker.leave)


def _relay(settings: ListenSettings, engine: Engine, stopped: Callable[[], bool]) -> None:
    """Let what the handlers announced leave: it is handled by others, or by the next pass."""
    relay = relay_for(settings, engine)
    try:
        if (problem := relay.run(stopped).problem) is not None:
            log.warning("the outbox is held up: %s", problem)
    finally:
        relay.close(settings.flush_timeout)


def _in_order(groups: Sequence[Group]) -> list[Group]:
    """Those that complete a signal before those that wait for it."""
    return [one for one in in_order(groups[0].application) if one in groups]
