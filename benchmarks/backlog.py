"""Beside a large retry table, on PostgreSQL: what is ready, what is released, what is due, what is idle, what is old.

The events come from a log in memory: these figures are the database's.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bed import Row, Services
from listening import fresh
from signals import Started, Viewed, Waited, encoded, views
from sqlalchemy import Connection, Engine, text

from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.run.assembly import make_worker
from oyez.producers import Announcer, MemoryBroker, MemoryTransport

TOPIC = "backlog"
PARKED = 1_000_000
HOT = 90_000
RELEASED = 100_000
IDLE = 20.0  # s
TICKS = os.sysconf("SC_CLK_TCK")
TEMPLATE = encoded([Waited(session_id="SESSION", n=0)])[0][1].decode()
NUMBER = f"{0:012x}"

_PARK = """
    INSERT INTO oyez_parked (app, group_name, handler, signal, source, event_id, key, ordered, wait_signal,
        wait_subject, parked_at, head_since, due_at, value)
    SELECT 'backlog', 'backlog.all', 'wait', 'page.waited', 'bench',
        '0197f3a0-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), {key}, {ordered}, {signal}, {subject}, 0,
        {since}, {due}, convert_to(replace(replace(:template, :number, lpad(to_hex(n), 12, '0')), 'SESSION', {key}),
        'UTF8')
    FROM generate_series(CAST(:low AS int), CAST(:high AS int)) AS n
"""
NOW = "extract(epoch FROM now())"
NEVER = {"key": "'k' || n", "ordered": "true", "signal": "'session.started'", "subject": "'never-' || n"}
WAITING = {**NEVER, "since": NOW, "due": "NULL"}
FOR_ONE = {**WAITING, "subject": "'late'"}
DUE = {**NEVER, "signal": "NULL", "subject": "NULL", "since": NOW, "due": "1 + n / 1e6"}


def park(engine: Engine, rows: dict[str, str], low: int, high: int) -> None:
    """Rows of the retry table with the numbers from ``low`` to ``high``."""
    with engine.begin() as db:
        given = {"template": TEMPLATE, "number": NUMBER, "low": low, "high": high}
        db.execute(text(_PARK.format(**rows)), given)


def hot(engine: Engine, keys: int, rows: int) -> None:
    """So many keys with so many rows each: the first is due, and the others are behind it."""
    key = {"key": f"'hot-' || (n % {keys})"}
    park(engine, {**DUE, **key}, 1, keys)
    park(engine, {**DUE, **key, "since": "NULL", "due": "NULL"}, keys + 1, keys * rows)


class Bench:
    """A worker on empty tables, fed from memory."""

    def __init__(self, url: str) -> None:
        self.engine = fresh(url)
        self.handled = 0
        self.late: list[float] = []
        on = Handlers("backlog")

        @on(Started, group="all")
        def start(found: list[Started], db: Connection) -> None:
            return

        @on(Waited, group="all", requires={Started: "session_id"})
        def wait(found: list[Waited], db: Connection) -> None:
            self.handled += len(found)

        @on(Viewed, group="all")
        def view(found: list[Viewed], db: Connection) -> None:
            now = time.perf_counter()
            self.late.extend(now - one.n / 1e6 for one in found)

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
            db.exec_driver_sql("VACUUM ANALYZE oyez_parked")

    def read(self, count: int) -> float:
        """Ready events, one in ten of which meets something; how many a second."""
        begun, seen = time.perf_counter(), len(self.late)
        for at, event in enumerate(views(count)):
            if at % 10 == 0:
                self.announcer.announce(Started(session_id=f"started-{seen}-{at}"))
            self.announcer.announce(event)
        begun = time.perf_counter()
        while len(self.late) - seen < count:
            self.worker.step()
        return count / (time.perf_counter() - begun)

    def until(self, count: int) -> float:
        """Run until so many parked rows were handled; how many a second."""
        begun, before = time.perf_counter(), self.handled
        while self.handled - before < count:
            self.worker.step()
        return count / (time.perf_counter() - begun)

    def close(self) -> None:
        self.worker.leave()
        self.engine.dispose()


@dataclass
class Figure:
    """A line of the table that is no ratio."""

    work: str
    beside: str
    value: str
    goal: str
    is_met: bool = field(default=True)

    def __str__(self) -> str:
        verdict = "" if self.is_met else "  BELOW"
        return f"{self.work:<58} {self.beside:<46} {self.value:>28} (goal {self.goal}){verdict}"


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second."""
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def ready(url: str, count: int) -> Row:
    """Ready events beside a million parked ones of their group."""
    row = Row(f"ready events beside {PARKED:,} parked", "beside none", 0.9)
    for name, parked in (("loop", 0), ("ours", PARKED), ("loop", 0)):
        bench = Bench(url)
        if parked:
            park(bench.engine, WAITING, 1, parked)
            bench.analyze()
        bench.read(count // 10)
        row.rates[name].append(bench.read(count))
        bench.close()
    return row


def idle(url: str) -> Figure:
    """What a worker that has nothing to do costs PostgreSQL."""
    bench = Bench(url)
    park(bench.engine, WAITING, 1, PARKED)
    bench.analyze()
    end = time.monotonic() + 6.0
    while time.monotonic() < end:
        bench.worker.step()
    with bench.engine.connect() as db:
        pids = list(db.execute(_BACKENDS).scalars())
    before, end = _ticks(pids), time.monotonic() + IDLE
    while time.monotonic() < end:
        bench.worker.step()
    share = (_ticks(pids) - before) / TICKS / IDLE
    bench.close()
    return Figure(
        "an idle worker, of a core of PostgreSQL", f"{PARKED:,} parked", f"{share:.2%}", "1 %", share <= 0.01
    )


_BACKENDS = text(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
)


def _ticks(pids: list[int]) -> int:
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(found[11]) + int(found[12]) for found in fields)


def sweeps(url: str) -> Row:
    """A sweep beside much that is behind a few keys: by row, beside little of it. What is due is handled before."""
    row = Row("sweep beside 5 keys of 8,000 rows, rows a second", "beside 5 keys of 800 rows", 0.9)
    for name, rows in (("loop", 800), ("ours", 8_000)):
        bench = Bench(url)
        hot(bench.engine, 5, rows)
        with bench.engine.begin() as db:
            db.exec_driver_sql("UPDATE oyez_parked SET due_at = 1e12 WHERE due_at IS NOT NULL")
        row.rates[name].append(rate(5 * rows, lambda: bench.worker._retrying.sweep(lambda _: None)))
        bench.close()
    return row


def draining(url: str) -> Row:
    """One key with much behind it, beside as many rows that are due on their own."""
    row = Row(f"draining a key of {HOT:,} rows", f"{HOT:,} keys of one row", 0.8)
    for name, keys in (("ours", 1), ("loop", HOT)):
        bench = Bench(url)
        hot(bench.engine, keys, HOT // keys)
        _meet(bench)
        row.rates[name].append(bench.until(HOT))
        bench.close()
    return row


def _meet(bench: Bench) -> None:
    """Nothing that is due has to wait for a session any more."""
    with bench.engine.begin() as db:
        db.exec_driver_sql(
            "INSERT INTO oyez_prerequisite (app, signal, subject, met_at, seen_at) "
            f"SELECT DISTINCT 'backlog', 'session.started', key, 1, {NOW} FROM oyez_parked"
        )


def claiming(url: str) -> Row:
    """How many rows a second are claimed and run beside few that are due, and beside many."""
    row = Row(f"running the first 10,000 of {RELEASED:,} due rows", "of 10,000 due rows", 0.9)
    for name, due in (("loop", 10_000), ("ours", RELEASED)):
        bench = Bench(url)
        park(bench.engine, {**DUE, "due": "1"}, 1, due)
        _meet(bench)
        row.rates[name].append(bench.until(10_000))
        bench.close()
    return row


def released(url: str) -> list[Figure]:
    """Much waits for one subject, which is met while ready events of the group arrive."""
    bench = Bench(url)
    park(bench.engine, FOR_ONE, 1, RELEASED)
    bench.analyze()
    bench.read(1_000)
    bench.late.clear()
    over = threading.Event()
    feeder = threading.Thread(target=_feed, args=(bench, over))
    bench.announcer.announce(Started(session_id="late"))
    feeder.start()
    speed = bench.until(RELEASED)
    over.set()
    feeder.join()
    p99 = sorted(bench.late)[len(bench.late) * 99 // 100]
    bench.close()
    work = f"{RELEASED:,} that wait for one subject"
    return [
        Figure(work, "released and handled, a second", f"{speed:,.0f}", "10,000", speed >= 10_000),
        Figure(work, "ready events meanwhile, p99", f"{p99:.3f} s", "0.5 s", p99 <= 0.5),
    ]


def _feed(bench: Bench, over: threading.Event) -> None:
    """A hundred ready events a second; each says when it was announced, in microseconds."""
    while not over.wait(0.01):
        bench.announcer.announce(Viewed(session_id="ready", url="/", n=int(time.perf_counter() * 1e6)))


def forgetting(url: str, count: int) -> Row:
    """Events that are old enough are forgotten as fast as others are taken."""
    row = Row("inbox rows forgotten while events are taken", "inbox rows taken", 1.0)
    bench = Bench(url)
    bench.read(1_000)
    with bench.engine.begin() as db:
        db.execute(text(_OLD), {"rows": 4 * count})
    bench.worker._swept = float("-inf")
    begun = time.perf_counter()
    bench.read(count)
    seconds = time.perf_counter() - begun
    with bench.engine.connect() as db:
        left = db.execute(
            text("SELECT count(*) FROM oyez_inbox WHERE taken_at < 2e9 AND source = 'old'")
        ).scalar_one()
    row.rates["ours"].append((4 * count - left) / seconds)
    row.rates["loop"].append(count * 1.1 / seconds)
    bench.close()
    return row


_OLD = """
    INSERT INTO oyez_inbox (group_name, source, event_id, taken_at)
    SELECT 'backlog.all', 'old', '0197f3a0-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), 1e9
    FROM generate_series(1, CAST(:rows AS int)) AS n
"""


def rows(services: Services, count: int, _turns: int) -> Iterator[Any]:
    url = services.postgres
    yield ready(url, count)
    yield idle(url)
    yield sweeps(url)
    yield claiming(url)
    yield draining(url)
    yield from released(url)
    yield forgetting(url, count)
