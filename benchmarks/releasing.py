"""From the commit of what is required to that of what has waited for it, in another group; also beside a hundred
connections that hear each notification of PostgreSQL's."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median

from accounts import once
from bed import Figure, Services
from listening import fresh
from signals import Started, Waited
from sqlalchemy import Connection, Engine, NullPool, create_engine

from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.instrumentation.emitter import Instrument
from oyez.consumers.instrumentation.events import BatchHandled, InstrumentationEvent, RowsRun
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.run.assembly import make_worker
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.producers.outbox import CHANNEL

TOPIC = "releasing"
LIMIT = 30.0  # s
LISTENERS = 100


class Seen:
    """When a group's last commit was, and what its handler was given."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.given: list[str] = []

    def receive(self, event: InstrumentationEvent) -> None:
        if isinstance(event, BatchHandled | RowsRun) and event.report.done:
            self.at.append(time.monotonic())


def releases(services: Services, count: int) -> Iterator[Figure]:
    pairs = max(5, count // 1_000)
    with tempfile.TemporaryDirectory() as name:
        for kind, url, listeners in (
            ("PostgreSQL", services.postgres, 0),
            ("PostgreSQL", services.postgres, LISTENERS),
            ("SQLite", f"sqlite:///{name}/releasing.db", 0),
        ):
            seconds = sorted(_seconds(url, pairs, listeners))
            p50, p99 = median(seconds), seconds[len(seconds) * 99 // 100]
            beside = f"beside {listeners} listeners" if listeners else "two groups"
            yield Figure(
                f"what is required to what waited for it, {kind}",
                beside,
                f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms",
                "none",
            )


def _seconds(url: str, pairs: int, listeners: int) -> list[float]:
    engine = fresh(url)
    broker = MemoryBroker(partitions=1)
    announce = Announcer(MemoryTransport(broker), source="bench", topic=TOPIC).announce
    required, waiting = Seen(), Seen()
    on = Handlers("releasing")

    @on(Started, group="required")
    def start(found: list[Started], db: Connection) -> None:
        required.given.extend(one.session_id for one in found)

    @on(Waited, group="waiting", order="none")
    def wait(found: list[Waited], db: Connection) -> None:
        waiting.given.extend(one.session_id for one in found)

    over, alone = threading.Event(), create_engine(url, poolclass=NullPool)
    with ExitStack() as ending:
        for _ in range(listeners):
            _hear(ending.enter_context(alone.connect()))
        application = Application(on)
        for name, seen in (("required", required), ("waiting", waiting)):
            ending.callback(_worker(application, name, broker, engine, seen, over).join)
        ending.callback(over.set)
        for number in range(pairs):
            announce(Waited(session_id=f"s{number}", n=number))
            _until(lambda: _parked(engine) == 1)
            announce(Started(session_id=f"s{number}"))
            _until(lambda: len(waiting.at) > number)  # at once
    once(f"what waits, {engine.dialect.name}", pairs, waiting.given)
    once(f"what is required, {engine.dialect.name}", pairs, required.given)
    engine.dispose()
    return [after - before for before, after in zip(required.at, waiting.at, strict=True)]


def _worker(
    application: Application,
    name: str,
    broker: MemoryBroker,
    engine: Engine,
    seen: Seen,
    over: threading.Event,
) -> threading.Thread:
    group = application.group(name)
    source = MemoryGroup(broker, [TOPIC]).join()
    told = Instrument(seen)
    worker = make_worker(group, ListenSettings(topic=TOPIC), engine=engine, source=source, instrument=told)
    thread = threading.Thread(target=worker.run, args=[over.is_set])
    thread.start()
    return thread


def _hear(db: Connection) -> None:
    """As an idle worker of another group does."""
    db.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"LISTEN {CHANNEL}")


def _parked(engine: Engine) -> int:
    with engine.connect() as db:
        return int(db.exec_driver_sql("SELECT count(*) FROM oyez_parked").scalar_one())


def _until(holds: Callable[[], bool]) -> None:
    over = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < over, "nothing was released"
        time.sleep(0.002)
