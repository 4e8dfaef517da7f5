"""Events that fail now and then, beside a batch in which none does: on a log in memory, so that the rest is counted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence

from accounts import Loop
from bed import Row, Services
from listening import effects, fresh
from signals import Viewed, encoded, views
from sqlalchemy import Connection, select, text

from oyez.consumers import Application, Backoff, Handlers, ListenSettings
from oyez.consumers.database import make_engine, tables
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.run.assembly import make_worker
from oyez.producers import MemoryBroker

TOPIC = "bench"
LATER = Backoff(first=600.0)  # it is the batch that is measured, not the attempts after it
ONE = text("INSERT INTO effect VALUES (:s, :n)")
MANY = {
    "postgresql": text(
        "INSERT INTO effect SELECT value ->> 0, CAST(value ->> 1 AS int) FROM json_array_elements(CAST(:rows AS json))"
    ),
    "sqlite": text("INSERT INTO effect SELECT value ->> 0, value ->> 1 FROM json_each(:rows)"),
}


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    """One event in so many fails in its handler."""
    count //= 4
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("PostgreSQL", services.postgres), ("SQLite", f"sqlite:///{folder}/failing.db")):
            for kind in (each, bulk, refused):
                for every, goal in ((20, 0.6), (500, 0.9)):
                    row = Row(f"1 of {every} fails, {kind.__doc__}, {name}", "none fails", goal)
                    for _ in range(turns):
                        row.turn(count, *[_run(url, kind, count, one) for one in (every, 0)])
                    yield row


def each(on: Handlers, bad: Callable[[int], bool], dialect: str) -> None:
    """a handler of single events"""

    @on(Viewed, order="none", retry=LATER)
    def see(view: Viewed, db: Connection) -> None:
        db.execute(ONE, {"s": view.session_id, "n": view.n})
        if bad(view.n):
            raise ValueError("as told")


def bulk(on: Handlers, bad: Callable[[int], bool], dialect: str) -> None:
    """a batch handler that looks at each"""

    @on(Viewed, order="none", retry=LATER)
    def see(found: list[Viewed], db: Connection) -> None:
        rows = []
        for view in found:
            if bad(view.n):
                raise ValueError("as told")
            rows.append((view.session_id, view.n))
        db.execute(MANY[dialect], {"rows": json.dumps(rows)})


def refused(on: Handlers, bad: Callable[[int], bool], dialect: str) -> None:
    """a batch handler whose statement fails"""

    @on(Viewed, order="none", retry=LATER)
    def see(found: list[Viewed], db: Connection) -> None:
        rows = [(view.session_id, view.n) for view in found]
        db.execute(MANY[dialect], {"rows": json.dumps(rows)})
        if any(bad(view.n) for view in found):
            raise ValueError("as told")


Kind = Callable[[Handlers, Callable[[int], bool], str], None]


def _run(url: str, kind: Kind, count: int, every: int) -> Loop:
    engine = fresh(url)
    on = Handlers("failing")
    kind(on, (lambda n: n % every == every // 2) if every else (lambda _n: False), engine.dialect.name)
    engine.dispose()
    events: Sequence[tuple[bytes, bytes]] = encoded(views(count))

    def run() -> None:
        engine = fresh(url)
        broker = MemoryBroker(partitions=1)
        for key, value in events:
            broker.append(TOPIC, key, value)
        group = Application(on).group("page.viewed")
        log = MemoryGroup(broker, [TOPIC]).join()
        worker = make_worker(group, ListenSettings(topic=TOPIC), engine=engine, source=log)
        seen = 0
        while seen < count:
            seen += worker.step()
        worker.leave()
        engine.dispose()

    return Loop(run, lambda: _handled(url))


def _handled(url: str) -> list[int]:
    """The numbers of the events that left an effect, or are parked."""
    engine = make_engine(url)
    with engine.connect() as db:
        parked = [
            json.loads(value)["data"]["n"] for value in db.execute(select(tables.parked.c.value)).scalars()
        ]
    found = [*effects(engine), *parked]
    engine.dispose()
    return found
