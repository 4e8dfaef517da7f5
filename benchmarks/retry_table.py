"""A large retry table on PostgreSQL, and a worker beside it that is fed from memory."""

from __future__ import annotations

import time

from accounts import Notes, once
from listening import fresh
from signals import Started, Viewed, views
from sqlalchemy import Connection, Engine, text

from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.run.assembly import make_worker
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Signal
from oyez.schemas.encoding import Encoder

TOPIC = "backlog"
NUMBER = f"{0:012x}"
N = 987_654_321  # where an event has its number


class Followed(Signal, name="page.followed", key="tab", requires={Started: "session_id"}):
    """Of another key than what it waits for."""

    tab: str
    session_id: str
    n: int


TEMPLATE = (
    Encoder("bench")
    .encode(
        Followed(tab="TAB", session_id="SESSION", n=N),
        id=f"0197f3a0-0000-7000-8000-{NUMBER}",
        time="2026-01-01T00:00:00.000000Z",
        key="TAB",
        subject=None,
    )
    .decode()
)

_PARK = """
    INSERT INTO oyez_parked (app, group_name, handler, signal, source, event_id, key, ordered, wait_signal,
        wait_subject, parked_at, head_since, due_at, value)
    SELECT 'backlog', 'backlog.all', 'wait', 'page.followed', 'bench',
        '0197f3a0-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), {key}, {ordered}, {signal}, {subject}, 0,
        {since}, {due}, convert_to(replace(replace(replace(replace(:template, :number, lpad(to_hex(n), 12, '0')),
        'SESSION', {session}), 'TAB', {key}), :n, CAST(n AS text)), 'UTF8')
    FROM generate_series(CAST(:low AS int), CAST(:high AS int)) AS n
"""
NOW = "extract(epoch FROM now())"


def _for(subject: str) -> dict[str, str]:
    """Waits for this session."""
    return {"signal": "'session.started'", "subject": subject, "session": subject}


ROW = {"key": "'k' || n", "session": "'k' || n", "ordered": "true", "since": NOW}
WAITING = {**ROW, **_for("'never-' || n"), "due": "NULL"}
FOR_ONE = {**WAITING, **_for("'late'")}
DUE = {**ROW, "signal": "NULL", "subject": "NULL", "due": "1 + n / 1e6"}


def park(engine: Engine, rows: dict[str, str], low: int, high: int) -> None:
    """Rows of the retry table with the numbers from ``low`` to ``high``."""
    with engine.begin() as db:
        given = {"template": TEMPLATE, "number": NUMBER, "n": str(N), "low": low, "high": high}
        db.execute(text(_PARK.format(**rows)), given)


def hot(engine: Engine, keys: int, rows: int) -> None:
    """So many keys with so many rows each: the first is due, and the others are behind it."""
    number = f"'hot-' || (n % {keys})"
    key = {"key": number, "session": number}
    park(engine, {**DUE, **key}, 1, keys)
    park(engine, {**DUE, **key, "since": "NULL", "due": "NULL"}, keys + 1, keys * rows)


class Bench:
    """A worker on empty tables, fed from memory."""

    def __init__(self, url: str) -> None:
        self.engine = fresh(url)
        self.handled = 0
        self.followed, self.viewed = Notes(), Notes()
        self.late: list[float] = []
        on = Handlers("backlog")

        @on(Started, group="all")
        def start(found: list[Started], db: Connection) -> None:
            return

        @on(Followed, group="all")
        def wait(found: list[Followed], db: Connection) -> None:
            self.handled += len(found)
            self.followed.numbers += [one.n for one in found]

        @on(Viewed, group="all")
        def view(found: list[Viewed], db: Connection) -> None:
            now = time.perf_counter()
            self.late.extend(now - one.n / 1e6 for one in found)
            self.viewed.numbers += [one.n for one in found]

        self.broker = MemoryBroker(partitions=1)
        self.announcer = Announcer(MemoryTransport(self.broker), source="bench", topic=TOPIC)
        group = Application(on).group("all")
        self.worker = make_worker(
            group,
            ListenSettings(topic=TOPIC),
            engine=self.engine,
            source=MemoryGroup(self.broker, [TOPIC]).join(),
        )
        self.worker.step()

    def analyze(self) -> None:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.exec_driver_sql("VACUUM ANALYZE oyez_parked, oyez_inbox")

    def parked(self) -> int:
        """How many rows the retry table has."""
        with self.engine.connect() as db:
            return int(db.exec_driver_sql("SELECT count(*) FROM oyez_parked").scalar_one())

    def read(self, count: int) -> float:
        """Ready events, one in ten of which meets something; how many a second."""
        seen = len(self.late)
        for at, event in enumerate(views(count)):
            if at % 10 == 0:
                self.announcer.announce(Started(session_id=f"started-{seen}-{at}"))
            self.announcer.announce(event)
        begun = time.perf_counter()
        while len(self.late) - seen < count:
            self.worker.step()
        seconds = time.perf_counter() - begun
        once("ready events of a large retry table", count, self.viewed.take())
        return count / seconds

    def until(self, count: int) -> float:
        """Run until so many parked rows were handled; how many a second."""
        parked = self.parked()
        begun, before = time.perf_counter(), self.handled
        while self.handled - before < count:
            self.worker.step()
        seconds = time.perf_counter() - begun
        once("rows of a large retry table", parked - self.parked(), self.followed.take())
        return count / seconds

    def close(self) -> None:
        self.worker.leave()
        self.engine.dispose()
