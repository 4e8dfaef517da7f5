"""One sweep over an application's groups, for cron: read what is for sweeps, run what is due, relay the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from ..handlers.application import Application, Group
from ..instrumentation.emitter import Instrument, logging_instrument
from ..lanes.event_loop import EventLoop
from ..logs.log import Log
from ..logs.memory import nothing
from ..outbox.relay import Relay
from ..settings import ListenSettings
from ..worker.retry_loop import Once
from ..worker.totals import Tally
from ..worker.worker import Worker
from .assembly import log_for_sweep, make_worker
from .group_order import in_order
from .group_pass import UNLIMITED, GroupPass
from .lanes import lanes_for


@dataclass(frozen=True)
class Swept:
    """What one sweep did in one group."""

    group: str
    totals: Tally


@dataclass(frozen=True)
class Sweep:
    """What one sweep did in each group; what holds up the outbox, if something does; why groups were left, by name:
    nearly everything in them failed alike; and which logs are not read any more."""

    swept: Sequence[Swept]
    problem: str | None
    broken: Mapping[str, str]
    halted: Sequence[str]


@dataclass(frozen=True)
class Sweeper:
    """Sweeps an application's groups. ``limit``: events that a sweep takes in hand at most. ``instrument`` makes what
    hears of it, for each worker."""

    application: Application
    settings: ListenSettings
    engine: Engine
    relay: Relay
    limit: int = UNLIMITED
    instrument: Callable[[], Instrument] = logging_instrument

    def sweep(self, stop: Callable[[], bool]) -> Sweep:
        """Read what sweeps are to read, run what is due everywhere, and let what stands in the outbox leave; again as
        long as something left, since that may be read here. Raises `DatabaseAway`; what was committed stays."""
        groups = in_order(self.application)
        totals = {group.name: Tally() for group in groups}
        broken: dict[str, str] = {}
        halted: dict[str, None] = {}
        self.relay.run(stop)
        while True:
            room = self.limit - sum(one.events for one in totals.values())
            done = self._pass(groups, totals, room, stop)
            broken |= done.broken
            halted |= dict.fromkeys(done.halted)
            relayed = self.relay.run(stop)
            if not relayed.events or relayed.problem is not None or stop() or done.room <= 0:
                break
        swept = [Swept(name, one) for name, one in totals.items()]
        return Sweep(swept, relayed.problem, broken, list(halted))

    def _pass(
        self, groups: Sequence[Group], totals: Mapping[str, Tally], room: int, stop: Callable[[], bool]
    ) -> GroupPass:
        """One pass of workers of its own: what the relay has put into a log that is new is found by joining it."""
        sources = [(group, self._source(group)) for group in groups]
        workers = [self._worker(group, source) for group, source in sources]
        done = GroupPass(workers, room, stop)
        try:
            done.run()
        finally:
            for worker in workers:
                totals[worker.group].merge(worker.tally)
                worker.leave()
        return done

    def _worker(self, group: Group, source: Log) -> Worker:
        loop = EventLoop(f"oyez-{group.name}")
        return make_worker(
            group,
            self.settings,
            engine=self.engine,
            source=source,
            retry_loop=Once,
            lanes=lanes_for(group, self.settings, loop=loop),
            event_loop=loop,
            instrument=self.instrument(),
        )

    def _source(self, group: Group) -> Log:
        """The group's log; one that has nothing where it is left to workers."""
        return log_for_sweep(group, self.settings, self.engine) or nothing()


def within(
    seconds: float | None, stop: Callable[[], bool], clock: Callable[[], float] = time.monotonic
) -> Callable[[], bool]:
    """A ``stop`` that also says so when the time is up."""
    if seconds is None:
        return stop
    end = clock() + seconds
    return lambda: stop() or clock() >= end
