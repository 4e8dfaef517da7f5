"""From announce() to the commit of what a handler did: at 50 events a second, and at half of the most."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from accounts import once
from bed import Figure, Services, new_topic
from listening import fresh
from processes import LIMIT, clean
from releasing import releases
from signals import Viewed
from sqlalchemy import Connection, insert, table
from sqlalchemy import column as col

from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.instrumentation.emitter import Instrument
from oyez.consumers.instrumentation.events import BatchHandled, InstrumentationEvent
from oyez.consumers.run.assembly import log_for, make_worker

SLOW = 50.0  # events a second
ALL = 1e9  # the same: as fast as it goes
SECONDS = 3.0  # for how long half of the most is kept up
BEFORE = 0.080  # s; the p99 at 50 a second that there once was
EFFECT = table("effect", col("session_id"), col("n"))


class Commits:
    """Is told of each commit; says of each event how long after its announcement that was. The ``second`` event was
    announced first of those that keep a pace."""

    def __init__(self) -> None:
        self.handed: list[Viewed] = []
        self.seconds: dict[int, float] = {}
        self.numbers: list[int] = []
        self.at = self.second = 0.0

    def receive(self, event: InstrumentationEvent) -> None:
        if isinstance(event, BatchHandled):
            self.at = time.monotonic()
            self.numbers += [one.n for one in self.handed]
            self.seconds.update((one.n, self.at - float(one.url)) for one in self.handed)
            self.second = next((float(one.url) for one in self.handed if one.n == 1), self.second)
            self.handed.clear()


def rows(services: Services, count: int, _turns: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        sqlite = f"sqlite:///{name}/latency.db"
        for kind, url in (("PostgreSQL", services.postgres), ("SQLite", sqlite)):
            for log in ("kafka", "spool"):
                yield from _paces(services, Path(name), log, kind, url, count)
    yield from releases(services, count)


def _paces(services: Services, folder: Path, log: str, kind: str, url: str, count: int) -> Iterator[Figure]:
    work = f"announce to commit, {log}, {kind}"
    few = max(20, count // 200)
    yield _figure(work, f"{SLOW:.0f} a second", BEFORE, _measured(services, folder, log, url, few, SLOW)[0])
    most = _measured(services, folder, log, url, count // 2, ALL)[1]
    many = max(20, min(count, int(SECONDS * most / 2)))
    half = _measured(services, folder, log, url, many, most / 2)[0]
    yield _figure(work, f"half of the most: {most / 2:,.0f} a second", None, half)


def _figure(work: str, pace: str, goal: float | None, commits: Commits) -> Figure:
    first = commits.seconds.pop(0)
    p50, p99 = percentiles(list(commits.seconds.values()))
    said = f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"
    wanted = "none" if goal is None else f"p99 under {goal * 1e3:.0f} ms"
    beside = f"{pace}; the first of all {first * 1e3:.0f} ms"
    return Figure(work, beside, said, wanted, goal is None or p99 < goal)


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """The middle one, and that which one in a hundred is over."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]


def _measured(
    services: Services, folder: Path, log: str, url: str, count: int, pace: float
) -> tuple[Commits, float]:
    """What was committed, and how many a second from the second event's announcement to the last commit."""
    topic = new_topic(services.kafka)
    place = {"transport": log, "topic": topic}
    place |= {"kafka": services.kafka} if log == "kafka" else {"spool": str(folder / topic)}
    engine, commits = fresh(url), Commits()
    on = Handlers("latency")

    @on(Viewed, group="all")
    def see(found: list[Viewed], db: Connection) -> None:
        db.execute(insert(EFFECT), [{"session_id": one.session_id, "n": one.n} for one in found])
        commits.handed[:] = found

    settings = ListenSettings(**place)
    group = Application(on).group("all")
    source = log_for(group, settings, engine, 0)
    worker = make_worker(group, settings, engine=engine, source=source, instrument=Instrument(commits))
    over = time.monotonic() + LIMIT
    while log == "kafka" and not source.positions():
        worker.step()
    command = [sys.executable, Path(__file__).parent / "pacing.py", json.dumps(place), str(count), str(pace)]
    with subprocess.Popen(command, env=clean()) as announcing:
        while len(commits.numbers) < count and time.monotonic() < over:
            worker.step()
        announcing.wait(LIMIT)
    once(f"announce to commit, {log}, {engine.dialect.name}", count, commits.numbers)
    worker.leave()
    engine.dispose()
    return commits, (count - 1) / (commits.at - commits.second)
