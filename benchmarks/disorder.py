"""Events that arrive before what they require, beside the same in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from accounts import Loop, Notes
from bed import Row, Services, fill, new_topic
from listening import Ours, fresh
from signals import Started, Waited, encoded
from sqlalchemy import Connection

from oyez.consumers import Handlers

BLOCK = 1_000


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    """One event in ten, or in two, arrives before the session that it requires; all of them are released."""
    count = max(1, count // BLOCK) * BLOCK
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("PostgreSQL", services.postgres), ("SQLite", f"sqlite:///{folder}/order.db")):
            for share, goal in ((10, 0.85), (50, 0.6)):
                row = Row(f"{share} % out of order, {name}", "in order", goal)
                for _ in range(turns):
                    row.turn(count, *[_ordered(services, url, count, late) for late in (share, 0)])
                yield row


def _ordered(services: Services, url: str, count: int, late: int) -> Loop:
    on, notes = Handlers("order"), Notes()

    @on(Started, group="all")
    def start(events: list[Started], db: Connection) -> None:
        notes.numbers += [event.session_id for event in events]

    @on(Waited, group="all", order="none")
    def wait(events: list[Waited], db: Connection) -> None:
        notes.numbers += [(event.session_id, event.n) for event in events]

    topic = new_topic(services.kafka)
    stream: list[Started | Waited] = []
    for at in range(0, count, BLOCK):
        sessions = [f"s{at + n}" for n in range(BLOCK // 10)]
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

    return Loop(run, notes.take)
