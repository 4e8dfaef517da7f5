"""Signals, a database, and workers that are stepped in this process, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
)
from sqlalchemy.orm import Session

from oyez.consumers import Application, Handlers, ListenSettings, testing
from oyez.consumers.core.apart import OWN, ProcessKind
from oyez.consumers.database import make_engine, metadata
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.database.positions import Partition
from oyez.consumers.handlers.application import Group
from oyez.consumers.instrumentation import Instrument
from oyez.consumers.lanes.event_loop import EventLoop
from oyez.consumers.lanes.lanes import WorkerLanes
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.run.assembly import make_worker
from oyez.consumers.tracing.watching import watched_application
from oyez.consumers.worker.worker import Worker
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Catalogue, Signal
from support.tables import knowing_the_tables, table_named

known = Catalogue()
TOPIC = "pipeline"


class Known(Signal, catalogue=known):
    """The base of these signals."""


class Placed(Known, name="placed", key="k"):
    k: str = "k1"
    n: int = 0


class Opened(Known, name="opened", key="k", subject="s"):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Viewed(Known, name="viewed", key="k", requires={Opened: "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Ticked(Known, name="ticked"):
    n: int = 0


tables = MetaData()
effects = Table(
    "effect",
    tables,
    Column("seq", Integer, primary_key=True),
    Column("handler", Text, nullable=False),
    Column("n", Integer, nullable=False),
)
unique = Table("only_once", tables, Column("n", Integer), UniqueConstraint("n"))


def note(db: Session | Connection, handler: str, *numbers: int) -> None:
    """Leave effects that can be counted."""
    db.execute(insert(effects), [{"handler": handler, "n": n} for n in numbers])


def one_line(error: BaseException | str, *parts: str) -> str:
    """Check that an error is one line that says all of ``parts``."""
    message = str(error)
    assert message.strip() == message
    assert "\n" not in message, message
    for part in parts:
        assert part in message, message
    return message


def prepare(url: str) -> None:
    """Make all tables, Oyez's and ours."""
    engine = make_engine(url, sqlite_journal="delete")
    upgrade(engine)
    tables.create_all(engine)
    engine.dispose()


def empty(url: str) -> None:
    """Leave nothing in any table."""
    engine = make_engine(url)
    with engine.begin() as db:
        for table in (*metadata.sorted_tables, *tables.sorted_tables):
            db.execute(table.delete())
    engine.dispose()


class Clock(testing.Clock):
    """Time that passes only when it is told to, and while somebody sleeps."""

    def __init__(self) -> None:
        super().__init__(1_000_000.0)
        self.sleeps = 0
        self.on_sleep: Callable[[int], None] = lambda _count: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps += 1
        self.on_sleep(self.sleeps)


class Pipeline:
    """An application over a memory log and a prepared database."""

    def __init__(
        self,
        url: str,
        on: Handlers,
        *,
        signals: Catalogue = known,
        engine: Engine | None = None,
        broker: MemoryBroker | None = None,
        instrument: Instrument | None = None,
        **said: Any,
    ) -> None:
        self.clock = Clock()
        self.engine = knowing_the_tables(engine or make_engine(url))
        self.application = watched_application(Application(on, signals))
        self._instrument = instrument
        self.broker = broker or MemoryBroker(partitions=1)
        self.announcer = Announcer(MemoryTransport(self.broker), source="web", topic=TOPIC, catalogue=signals)
        self._settings = ListenSettings(**({"topic": TOPIC, "max_attempts": 5} | said))
        self.logs = {name: MemoryGroup(self.broker, [TOPIC]) for name in self.application.groups}
        self.workers = {name: self.worker(name) for name in self.application.groups}

    def worker(self, group: str, process: ProcessKind = OWN) -> Worker:
        """A worker of a group."""
        loop = EventLoop(f"oyez-{group}")
        lanes = self.lanes_of(self.application.groups[group], process, loop)
        return make_worker(
            self.application.groups[group],
            self._settings,
            engine=self.engine,
            source=self.logs[group].join(),
            clock=self.clock,
            sleep=self.clock.sleep,
            timer=self.clock,
            instrument=self._instrument,
            process=process,
            lanes=lanes,
            event_loop=None if lanes is None else loop,
        )

    def lanes_of(self, group: Group, process: ProcessKind, loop: EventLoop) -> WorkerLanes | None:
        """What the workers of a group run concurrent handlers in."""
        return None

    def replace(self, group: str, process: ProcessKind = OWN) -> Worker:
        """The group's worker has died without a word; another one takes its place."""
        self.workers[group]._log.close()
        self.workers[group] = self.worker(group, process)
        return self.workers[group]

    def announce(self, *events: Signal) -> None:
        for event in events:
            self.announcer.announce(event)

    def run(self) -> None:
        """Every worker works until nothing is left to read, and nothing is due."""
        for _ in range(4):
            self._round()
        for _ in range(50):  # a notice of what was released may still be on its way
            if not self._is_due():
                return
            self._round()

    def _round(self) -> None:
        self.clock.now += 0.1
        for worker in self.workers.values():
            while worker.step():
                pass

    def _is_due(self) -> bool:
        return any(at is not None and at <= self.clock.now for at in self.rows("parked", "due_at"))

    def handle(self, *events: Signal) -> None:
        """Announce, and run."""
        self.announce(*events)
        self.run()

    def later(self, seconds: float = 10_000.0) -> None:
        """Time passes; then every worker works on."""
        self.clock.now += seconds
        self.run()

    def effects(self, handler: str | None = None) -> list[int]:
        """What a handler left, in its order; of all handlers when none is named."""
        statement = select(effects.c.n).order_by(effects.c.seq)
        if handler is not None:
            statement = statement.where(effects.c.handler == handler)
        with self.engine.connect() as db:
            return list(db.execute(statement).scalars())

    def rows(self, name: str, *columns: str) -> list[Any]:
        """The rows of one of Oyez's tables, by id."""
        table = table_named(name)
        chosen = [table.c[column] for column in columns] or list(table.c)
        order = [table.c.id] if "id" in table.c else list(table.primary_key)
        with self.engine.connect() as db:
            rows = db.execute(select(*chosen).order_by(*order)).all()
        return [row[0] for row in rows] if len(columns) == 1 else [tuple(row) for row in rows]

    def parked(self) -> list[tuple[str, int, str]]:
        """Handler, number and first line of the error of each parked delivery."""
        return [
            (handler, json.loads(value)["data"]["n"], (error or "").split("\n")[0])
            for handler, value, error in self.rows("parked", "handler", "value", "error")
        ]

    def dead(self) -> list[tuple[str, int, str]]:
        """Handler, number and reason of each dead delivery."""
        return [
            (handler, json.loads(value)["data"]["n"], reason)
            for handler, value, reason in self.rows("dead", "handler", "value", "reason")
        ]

    def is_clean(self) -> bool:
        """Whether nothing is parked or dead."""
        return not self.rows("parked", "id") and not self.rows("dead", "id")

    def close(self) -> None:
        self.announcer.close()
        for worker in self.workers.values():
            worker.reading.leave()
            if worker._lanes is not None:
                worker._lanes.close()  # and with them its event loop
            worker._wakeups.close()
            worker._log.close()
        self.workers = {}
        self.engine.dispose()


def terms(worker: Worker) -> dict[Partition, int]:
    """The terms in which a worker holds its partitions."""
    return {partition: held.term for partition, held in worker._ownership.held.items()}


def placed(numbers: Iterable[int], key: str | None = None) -> Sequence[Placed]:
    """Events with these numbers, of one key or each of its own."""
    return [Placed(k=key or f"k{n}", n=n) for n in numbers]


Play = Callable[..., Pipeline]
"""What the fixture `play` is: makes a pipeline for handlers."""
