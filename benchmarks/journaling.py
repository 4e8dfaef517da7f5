"""What the journal costs: an exactly-once worker with a bulk handler that writes it, beside the same one without."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping

from accounts import Loop
from bed import Row, Services, fill, new_topic
from listening import Ours, bulk_handler, effects, fresh
from signals import encoded, views

from oyez.consumers.database import make_engine

KEPT: Mapping[str, tuple[str | float, float]] = {
    "what was parked": ("parked", 0.95),
    "a twentieth of the keys": (0.05, 0.9),
    "all keys": ("all", 0.5),
}
"""What is set, and the goal. A handler that did more than a statement a batch would leave less to see."""


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("PostgreSQL", services.postgres), ("SQLite", f"sqlite:///{folder}/journal.db")):
            for kept, (said, goal) in KEPT.items():
                row = Row(f"exactly-once with the journal of {kept}, {name}", "without the journal", goal)
                for _ in range(turns):
                    _turn(row, services, topic, url, count, said)
                yield row


def _turn(row: Row, services: Services, topic: str, url: str, count: int, said: str | float) -> None:
    engine = fresh(url)
    dialect = make_engine(url).dialect.name
    kept = Ours(bulk_handler("kept", dialect), "page.viewed", services, topic, engine, journal=said)
    bare = Ours(bulk_handler("bare", dialect), "page.viewed", services, topic, engine, journal="off")
    row.turn(
        count,
        Loop(lambda: kept.read(count), lambda: effects(engine)),
        Loop(lambda: bare.read(count), lambda: effects(engine)),
    )
    kept.close()
    bare.close()
    engine.dispose()
