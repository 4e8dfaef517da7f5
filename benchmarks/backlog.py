"""Beside a large retry table, on PostgreSQL: what is ready, what is released, what is due, what is idle, what is old.

The events come from a log in memory: these figures are the database's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from accounts import once
from bed import Figure, Row, Services
from processes import used
from retry_table import DUE, FOR_ONE, NOW, WAITING, Bench, hot, park
from signals import Started, Viewed
from sqlalchemy import text

IDLE = 20.0  # s


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second."""
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def idle(url: str, count: int) -> Figure:
    """What a worker that has nothing to do costs PostgreSQL."""
    bench = Bench(url)
    park(bench.engine, WAITING, 1, 10 * count)
    bench.analyze()
    bench.worker.step()
    with bench.engine.connect() as db:
        pids = list(db.execute(_BACKENDS).scalars())
    before, begun = used(pids), time.monotonic()
    end = begun + min(IDLE, count / 1_000)
    while time.monotonic() < end:
        bench.worker.step()
    share = (used(pids) - before) / (time.monotonic() - begun)
    bench.close()
    return Figure(
        "an idle worker, of a core of PostgreSQL",
        f"{10 * count:,} parked",
        f"{share:.2%}",
        "1 %",
        share <= 0.01,
    )


_BACKENDS = text(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
)


def sweeps(url: str, count: int) -> Row:
    """A sweep beside much that is behind a few keys: by row, beside little of it. What is due is handled before."""
    many, few = count // 12, count // 120
    row = Row(f"sweep beside 5 keys of {many:,}, rows a second", f"beside 5 keys of {few:,}", 0.9)
    for name, rows in (("loop", few), ("ours", many)):
        bench = Bench(url)
        hot(bench.engine, 5, rows)
        with bench.engine.begin() as db:
            db.exec_driver_sql("UPDATE oyez_parked SET due_at = 1e12 WHERE due_at IS NOT NULL")
        row.rates[name].append(rate(5 * rows, lambda: bench.worker._retrying.sweep(lambda _: None)))
        once("a sweep of what is not due", 5 * rows, [*range(bench.parked()), *bench.followed.take()])
        bench.close()
    return row


def draining(url: str, count: int) -> Row:
    """One key with much behind it, beside as many rows that are due on their own."""
    row = Row(f"draining a key of {count:,} rows", f"{count:,} keys of one row", 0.8)
    for name, keys in (("ours", 1), ("loop", count)):
        bench = Bench(url)
        hot(bench.engine, keys, count // keys)
        _meet(bench)
        row.rates[name].append(bench.until(count))
        bench.close()
    return row


def _meet(bench: Bench) -> None:
    """Nothing that is due has to wait for a session any more."""
    with bench.engine.begin() as db:
        db.exec_driver_sql(
            "INSERT INTO oyez_prerequisite (app, signal, subject, met_at, seen_at) "
            f"SELECT DISTINCT 'backlog', 'session.started', key, 1, {NOW} FROM oyez_parked"
        )


def claiming(url: str, count: int) -> Row:
    """How many rows a second are claimed and run beside few that are due, and beside many."""
    few = count // 10
    row = Row(f"running the first {few:,} of {count:,} due rows", f"of {few:,} due rows", 0.9)
    for name, due in (("loop", few), ("ours", count)):
        bench = Bench(url)
        park(bench.engine, {**DUE, "due": "1"}, 1, due)
        _meet(bench)
        row.rates[name].append(bench.until(few))
        bench.close()
    return row


def released(url: str, count: int) -> list[Figure]:
    """Much waits for one subject, which is met while ready events of the group arrive."""
    bench = Bench(url)
    park(bench.engine, FOR_ONE, 1, count)
    bench.analyze()
    bench.read(count // 100)
    bench.late.clear()
    over, fed = threading.Event(), list[int]()
    feeder = threading.Thread(target=_feed, args=(bench, over, fed))
    bench.announcer.announce(Started(session_id="late"))
    feeder.start()
    speed = bench.until(count)
    while not bench.late:
        bench.worker.step()
    over.set()
    feeder.join()
    while len(bench.late) < len(fed):
        bench.worker.step()
    once("ready events beside what is released", len(fed), bench.viewed.take())
    p99 = sorted(bench.late)[len(bench.late) * 99 // 100]
    bench.close()
    work = f"{count:,} that wait for one subject"
    return [
        Figure(work, "released and handled, a second", f"{speed:,.0f}", "10,000", speed >= 10_000),
        Figure(work, "ready events meanwhile, p99", f"{p99:.3f} s", "0.5 s", p99 <= 0.5),
    ]


def _feed(bench: Bench, over: threading.Event, fed: list[int]) -> None:
    """A hundred ready events a second; each says when it was announced, in microseconds."""
    while not over.wait(0.01):
        fed.append(int(time.perf_counter() * 1e6))
        bench.announcer.announce(Viewed(session_id="ready", url="/", n=fed[-1]))


def forgetting(url: str, count: int) -> Row:
    """Events that are old enough are forgotten as fast as others are taken."""
    row = Row("inbox rows forgotten while events are taken", "inbox rows taken", 1.0)
    bench = Bench(url)
    bench.read(count // 100)
    with bench.engine.begin() as db:
        db.execute(text(_OLD), {"rows": 4 * count})
    bench.worker._retrying._upkeep._ended.clear()  # it rests once it has found nothing old
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


def rows(services: Services, count: int, _turns: int) -> Iterator[Row | Figure]:
    url = services.postgres
    yield idle(url, count)
    yield sweeps(url, count)
    yield claiming(url, count)
    yield draining(url, count)
    yield from released(url, count)
    yield forgetting(url, count)
