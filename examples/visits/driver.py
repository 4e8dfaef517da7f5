"""An import: the log is dealt to servers, they announce while workers listen, until everything is handled."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from visits import accesslog, database, processes
from visits.errors import VisitsError
from visits.processes import Child, Server
from visits.progress import Course, Lines, Observer, Progress
from visits.sessions import deal, steps_of
from visits.work import Run, Work, source_of, write_steps

Watch = Callable[[Progress], None]
LOOK_EVERY = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """How to import. pause: seconds from one line to the next; delays: the seconds by which a server is late;
    timeout: seconds in which something must move."""

    workers: int = 1
    listeners: int = 1
    partitions: int = 4
    pause: float = 0.0
    delays: Mapping[int, float] = field(default_factory=dict)
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an import ended, and the seconds from its first announcement."""

    progress: Progress
    seconds: float


def prepare(run: Run, plan: Plan, work: Work, topic: Course, engine: Engine) -> Observer:
    """Read the log and deal it, make the topic and the tables; VisitsError if one of them cannot be had."""
    log = accesslog.read(Path(run.log))
    topic.create(plan.partitions)
    work.create()
    earlier = database.begin_import(engine, run, log)
    work.clear()
    work.save(run)
    for number, steps in enumerate(deal(steps_of(log.views), run.servers)):
        write_steps(work.dealt(source_of(number)), steps)
    return Observer(topic, [Lines(work.announced(source_of(n))) for n in range(run.servers)], earlier)


def environment_of(run: Run, work: Work) -> dict[str, str]:
    """The settings of all processes of an import."""
    course = (
        {"OYEZ_TRANSPORT": "spool", "OYEZ_SPOOL": str(work.spool.absolute())}
        if run.is_spooled
        else {"OYEZ_TRANSPORT": "kafka", "OYEZ_KAFKA": run.kafka}
    )
    return course | {"OYEZ_APP": "visits.handlers:on", "OYEZ_TOPIC": run.topic, "OYEZ_DATABASE": run.database}


class Driver:
    """Runs a prepared import."""

    def __init__(self, plan: Plan, run: Run, work: Work, engine: Engine, observer: Observer) -> None:
        self._plan = plan
        self._servers = run.servers
        self._work = work
        self._engine = engine
        self._observer = observer
        self._is_spooled = run.is_spooled
        self._environment = environment_of(run, work)

    def execute(self, watch: Watch) -> Outcome:
        """Start everything, follow it to its end and stop it; VisitsError if it does not come to one."""
        with processes.ended_together() as children:
            listeners = [self._listener(f"listen-{n}") for n in range(self._plan.listeners)]
            children.extend(listeners)
            servers = [self._server(number) for number in range(self._servers)]
            children.extend(servers)
            for server in servers:
                server.wait_until_ready()
            if not self._is_left_to_others:
                self._wait_for_workers(listeners)
            begin = time.monotonic()
            for server in servers:
                server.begin()
            return Outcome(self._follow(servers, listeners, watch), time.monotonic() - begin)

    def _listener(self, name: str) -> Child:
        return processes.listener(self._work.folder, name, self._plan.workers, self._environment)

    def _server(self, number: int) -> Server:
        late = self._plan.delays.get(number, 0.0)
        folder, source = self._work.folder, source_of(number)
        own = {"OYEZ_SPOOL": str(self._work.spool / source)} if self._is_spooled else {}
        return processes.server(folder, source, self._plan.pause, late, self._environment | own)

    def _wait_for_workers(self, listeners: Sequence[Child]) -> None:
        """A site's workers run already when its visitors come."""
        limit = time.monotonic() + self._plan.timeout
        while not self._listening():
            _check(listeners)
            if time.monotonic() > limit:
                said = "; ".join(child.last_words() for child in listeners)
                raise VisitsError(f"no worker took the topic within {self._plan.timeout:g} s: {said}")
            time.sleep(LOOK_EVERY / 4)

    @property
    def _is_left_to_others(self) -> bool:
        """In the spool, events wait until somebody reads them, as `oyez sweep` does from cron."""
        return self._is_spooled and not self._plan.listeners

    def _listening(self) -> bool:
        with database.connected(self._engine) as db:
            return self._observer.listening(db)

    def _follow(self, servers: Sequence[Child], listeners: Sequence[Child], watch: Watch) -> Progress:
        seen, moved = Progress(), time.monotonic()
        while True:
            announcing = any(server.runs for server in servers)
            for server in servers:
                server.check()
            _check(listeners)
            with database.connected(self._engine) as db:
                now = self._observer.look(db)
            watch(now)
            if not announcing and (now.settled or self._is_left_to_others):
                return now
            if announcing or now != seen:
                seen, moved = now, time.monotonic()
            elif time.monotonic() - moved > self._plan.timeout:
                left = f"{now.parked} deliveries are parked and {now.lag} records unread"
                raise VisitsError(f"nothing moved for {self._plan.timeout:g} s; {left}")
            time.sleep(LOOK_EVERY)


def _check(listeners: Sequence[Child]) -> None:
    """Others take over from a worker that was killed; somebody must be left."""
    if listeners and not any(child.runs for child in listeners):
        raise listeners[-1].failure()
