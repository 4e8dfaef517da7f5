"""A small world for the model test: three signals, handlers that fail as they are told, and what was effected."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, Text, insert, select
from sqlalchemy.orm import Session

from oyez.consumers import Application, Handlers, ListenSettings, NotReady, Reject
from oyez.consumers.database import make_engine, metadata
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.run.assembly import make_worker
from oyez.consumers.worker.worker import Worker
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Catalogue, Signal
from support.tables import table_named

signals = Catalogue()
TOPIC = "model"
WORKERS = 100  # each hears over a connection of its own


class Opened(Signal, name="opened", key="k", subject="s", catalogue=signals):
    k: str
    s: str
    n: int


class Used(Signal, name="used", key="k", requires={Opened: "s"}, catalogue=signals):
    k: str
    s: str
    n: int


class Reply(Signal, name="reply", key="k", subject="s", requires={"reply": "parent"}, catalogue=signals):
    k: str
    s: str
    parent: str | None
    n: int


Announced = Opened | Used | Reply

own = MetaData()
effect = Table(
    "effect", own, Column("seq", Integer, primary_key=True), Column("handler", Text), Column("n", Integer)
)


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self, _db: object = None) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Script:
    """What happens to a delivery before it succeeds: so many failures, or a rejection."""

    failures: Counter[tuple[str, int]] = field(default_factory=Counter)
    rejected: set[tuple[str, int]] = field(default_factory=set)
    outside: list[tuple[str, int]] = field(default_factory=list)

    def play(self, handler: str, n: int) -> None:
        if (handler, n) in self.rejected:
            raise Reject("as told")
        if self.failures[handler, n] > 0:
            self.failures[handler, n] -= 1
            raise (ValueError("as told") if n % 2 else NotReady())


def handlers(script: Script, group: str | None) -> Handlers:
    """Six handlers: each form, with and without a database parameter, in one group or in a group a signal."""
    on = Handlers("model")

    @on(Opened, group=group)
    def open_session(event: Opened, db: Session) -> None:
        db.execute(insert(effect), {"handler": "open_session", "n": event.n})
        script.play("open_session", event.n)

    @on(Opened, group=group)
    def open_connection(events: list[Opened], db: Connection) -> None:
        for event in events:
            db.execute(insert(effect), {"handler": "open_connection", "n": event.n})
            script.play("open_connection", event.n)

    @on(Used, group=group)
    def use_batch(events: list[Used], db: Connection) -> None:
        for event in events:
            db.execute(insert(effect), {"handler": "use_batch", "n": event.n})
            script.play("use_batch", event.n)

    @on(Used, group=group)
    def use_outside(event: Used) -> None:
        script.play("use_outside", event.n)
        script.outside.append(("use_outside", event.n))

    @on(Used, group=group, order="none", requires={})
    def use_loosely(event: Used, db: Session) -> None:
        db.execute(insert(effect), {"handler": "use_loosely", "n": event.n})
        script.play("use_loosely", event.n)

    @on(Reply, group=group)
    def reply(event: Reply, db: Session) -> None:
        db.execute(insert(effect), {"handler": "reply", "n": event.n})
        script.play("reply", event.n)

    return on


class World:
    """Workers over a memory log and a database, in steps."""

    def __init__(self, engine: Engine, script: Script, *, group: str | None, batch: int) -> None:
        self.clock = Clock()
        self.engine = engine
        self.script = script
        self.application = Application(handlers(script, group), signals)
        self.broker = MemoryBroker(partitions=2)
        self.announcer = Announcer(
            MemoryTransport(self.broker),
            source="web",
            topic=TOPIC,
            catalogue=signals,
            clock=self._nanoseconds,
        )
        self.announced: list[Announced] = []
        self.groups = {name: MemoryGroup(self.broker, [TOPIC]) for name in self.application.groups}
        self.workers: list[Worker] = []
        self.late: set[tuple[str, str]] = set()
        self._settings = ListenSettings(batch=batch, max_age=10_000.0, topic=TOPIC)
        for name in self.application.groups:
            self.join(name)

    def _nanoseconds(self) -> int:
        return int(self.clock.now * 1e9)

    def announce(self, event: Announced) -> None:
        self.announced.append(event)
        self.announcer.announce(event)

    def join(self, group: str) -> None:
        """One more worker of a group; the partitions are dealt anew."""
        worker = make_worker(
            self.application.groups[group],
            self._settings,
            engine=self.engine,
            source=self.groups[group].join(),
            clock=self.clock,
            sleep=self.clock.sleep,
            timer=self.clock,
        )
        self.workers.append(worker)

    def vanish(self, number: int) -> None:
        """A worker is gone, without a word; the others get its partitions."""
        worker = self.workers.pop(number % len(self.workers))
        worker._log.close()
        worker._wakeups.close()
        if not self.groups[worker._group.name].members:
            self.join(worker._group.name)

    def step(self, number: int) -> None:
        self.workers[number % len(self.workers)].step()

    def age(self, seconds: float) -> None:
        """Everybody takes what there is, then time passes, and everybody sweeps; what is given up is noted."""
        for _ in range(3):
            self._all_step()
        self.clock.now += seconds
        self._all_step()
        table = table_named("dead")
        with self.engine.connect() as db:
            found = db.execute(select(table.c.handler, table.c.key).where(table.c.wait_signal.is_not(None)))
            self.late |= {(handler, key) for handler, key in found}

    def _all_step(self) -> None:
        for worker in list(self.workers):
            worker.step()

    def settle(self) -> None:
        """Time passes and everybody works, until nothing changes any more: first all that is tried again, in steps of
        a retry's pause, then what is given up by its age."""
        for turn in range(100):
            for worker in list(self.workers):
                while worker.step():
                    pass
            if turn >= 3 and not self.rows("parked"):
                return
            self.clock.now += 700.0 if turn < 6 else 3_500.0

    def effects(self) -> dict[str, list[int]]:
        """What each handler did, in the order in which it did it."""
        done: dict[str, list[int]] = defaultdict(list)
        with self.engine.connect() as db:
            for handler, n in db.execute(select(effect.c.handler, effect.c.n).order_by(effect.c.seq)):
                done[handler].append(n)
        for handler, n in self.script.outside:
            done[handler].append(n)
        return done

    def rows(self, name: str) -> int:
        with self.engine.connect() as db:
            return len(db.execute(select(table_named(name))).all())

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.announcer.close()
        for worker in self.workers:
            worker._wakeups.close()
        _empty(self.engine)


@pytest.fixture(scope="module")
def model_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database for one world after the other. An engine of its own for each would compile every statement anew."""
    file = tmp_path_factory.mktemp("model") / "model.db"
    made = make_engine(f"sqlite:///{file}", pool={"pool_size": WORKERS})
    metadata.create_all(made)
    own.create_all(made)
    yield made
    made.dispose()


def _empty(engine: Engine) -> None:
    """As new: without rows, and with ids that begin at one."""
    with engine.begin() as db:
        for table in (*metadata.sorted_tables, *own.sorted_tables):
            db.exec_driver_sql(f"DELETE FROM {table.name}")
        db.exec_driver_sql("DELETE FROM sqlite_sequence")
