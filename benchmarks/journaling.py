"""What the journal costs: an exactly-once worker with a bulk handler that writes it, beside the same one without."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from accounts import Loop
from bed import Row, Services, fill, new_topic
from listening import Ours, bulk_handler, effects, fresh
from signals import encoded, views

from oyez.consumers.database import make_engine

SHARES = {"a tenth of the keys": 0.1, "all keys": 1.0}
GOALS = {"a tenth of the keys": 0.95, "all keys": 0.5}
"""A handler that did something would leave less to see: this one is a statement a batch."""


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("PostgreSQL", services.postgres), ("SQLite", f"sqlite:///{folder}/journal.db")):
            for keys, share in SHARES.items():
                row = Row(
                    f"exactly-once with the journal of {keys}, {name}", "without the journal", GOALS[keys]
                )
                for _ in range(turns):
                    _turn(row, services, topic, url, count, share)
                yield row


def _turn(row: Row, services: Services, topic: str, url: str, count: int, share: float) -> None:
    engine = fresh(url)
    dialect = make_engine(url).dialect.name
    kept = Ours(bulk_handler("kept", dialect), "page.viewed", services, topic, engine, journal=share)
    bare = Ours(bulk_handler("bare", dialect), "page.viewed", services, topic, engine, journal="off")
    row.turn(
        count,
        Loop(lambda: kept.read(count), lambda: effects(engine)),
        Loop(lambda: bare.read(count), lambda: effects(engine)),
    )
    kept.close()
    bare.close()
    engine.dispose()
