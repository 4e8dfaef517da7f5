"""Events that arrive before what they require, beside the same in order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from bed import Row, Services, fill, new_topic
from listening import Ours, fresh
from signals import Started, Waited, encoded
from sqlalchemy import Connection

from oyez.consumers import Handlers


def rows(services: Services, count: int, turns: int) -> list[Row]:
    """One event in ten arrives before the session that it requires; all of them are released."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("PostgreSQL", services.postgres), ("SQLite", f"sqlite:///{folder}/order.db")):
            row = Row(f"10 % out of order, {name}", "in order", 0.7)
            for _ in range(turns):
                row.turn(count, *[_ordered(services, url, count, late) for late in (10, 0)])
            found.append(row)
    return found


def _ordered(services: Services, url: str, count: int, late: int) -> Callable[[], None]:
    on = Handlers("order")

    @on(Started, group="all")
    def start(events: list[Started], db: Connection) -> None:
        return

    @on(Waited, group="all", order="none")
    def wait(events: list[Waited], db: Connection) -> None:
        return

    topic = new_topic(services.kafka)
    stream: list[Started | Waited] = []
    block = 1000
    for at in range(0, count, block):
        sessions = [f"s{at + n}" for n in range(block // 10)]
        early = set(sessions[: len(sessions) * late // 100]) if late else set()
        # A late session starts after the batch that holds its views.
        stream += [Started(session_id=s) for s in sessions if s not in early]
        stream += [Waited(session_id=s, n=n) for n in range(9) for s in sessions if s not in early]
        stream += [Waited(session_id=s, n=n) for n in range(9) for s in early]
        stream += [Started(session_id=s) for s in early]
    fill(services.kafka, topic, encoded(stream))
    total = len(stream)

    def run() -> None:
        engine = fresh(url)
        ours = Ours(on, "all", services, topic, engine)
        ours.until_done(total)
        ours.close()
        engine.dispose()

    return run
