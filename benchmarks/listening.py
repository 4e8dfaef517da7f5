"""Listening: workers of each promise, beside the loops that one would write by hand."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
from accounts import Loop, Notes
from bed import Row, Services, consumer, fill, new_topic, position, read_all
from confluent_kafka import Message
from pydantic import BaseModel
from signals import Started, Viewed, encoded, views
from sqlalchemy import Connection, Engine, MetaData, text

from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.database import make_engine, metadata
from oyez.consumers.run.assembly import log_for, make_worker
from oyez.consumers.worker.worker import Worker
from oyez.schemas import Signal

try:
    from oyez.consumers.tracing.watching import watched_application
except ImportError:  # the build that `before` compares with has no traces

    def watched_application(application: Application) -> Application:
        return application


BATCH = 500


class Envelope(BaseModel):
    """What the loop by hand validates: the whole event."""

    specversion: str
    type: str
    source: str
    id: str
    time: str
    partitionkey: str
    data: Viewed


FIRST_POSITION = (
    "INSERT INTO oyez_position (group_name, topic_id, partition, topic, position, epoch, owner, updated_at) "
    "VALUES ('raw', 't', 0, 't', 0, 1, '', 0)"
)


class Ours:
    """A worker on a topic, ready to read: its group is joined before the time is taken."""

    def __init__(
        self, handlers: Handlers, group: str, services: Services, topic: str, engine: Engine, **said: Any
    ) -> None:
        """``said``: settings that are not the default."""
        application = watched_application(Application(handlers))
        settings = ListenSettings(kafka=services.kafka, topic=topic, **said)
        full = application.group(group)
        log = log_for(full, settings, engine)
        self.worker: Worker = make_worker(full, settings, engine=engine, source=log)
        while not self.worker._log.positions():
            self.worker.step()

    def read(self, count: int) -> None:
        seen = 0
        while seen < count:
            seen += self.worker.step()

    def until_done(self, count: int) -> None:
        while self.worker.tally.done < count:
            self.worker.step()

    def position(self) -> int:
        """How many records it has got past, of all partitions together."""
        return sum(self.worker._log.positions().values())

    def close(self) -> None:
        self.worker._log.close()
        self.worker._wakeups.close()


def fresh(url: str) -> Engine:
    """A database with Oyez's tables and one for effects, empty."""
    engine = make_engine(url)
    before = MetaData()
    before.reflect(engine)
    before.drop_all(engine)
    metadata.create_all(engine)
    with engine.begin() as db:
        db.execute(text("DROP TABLE IF EXISTS effect"))
        db.execute(text("CREATE TABLE effect (session_id TEXT, n INTEGER)"))
    return engine


def _doing_nothing(signal: type[Signal], notes: Notes) -> tuple[Handlers, Callable[[Any], None]]:
    """A handler that only notes what it was given, in an at-least-once group of an application that was never seen
    before."""
    on = Handlers(f"bench-{uuid4().hex[:8]}", promises={"all": "at-least-once"})
    note = notes.numbers.append

    @on(signal, group="all", order="none")
    def nothing(event: Any) -> None:
        note(event.n)

    return on, nothing


def at_least_once(services: Services, count: int, turns: int) -> Row:
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    row = Row("do-nothing typed handler, at-least-once", "consume + model_validate_json + the call", 1.3)
    validate = Envelope.model_validate_json

    notes = Notes()
    nothing = _doing_nothing(Viewed, notes)[1]

    def by_hand(messages: list[Message]) -> None:
        for message in messages:
            nothing(validate(message.value()).data)

    with tempfile.TemporaryDirectory() as folder:
        engine = fresh(f"sqlite:///{folder}/loose.db")
        for _ in range(turns):
            ours = Ours(_doing_nothing(Viewed, notes)[0], "all", services, topic, engine)
            client = consumer(services.kafka, topic)
            row.turn(
                count,
                Loop(lambda: ours.read(count), notes.take),
                Loop(lambda: read_all(client, count, by_hand), notes.take),
            )
            ours.close()
            client.close()
    return row


def skipping(services: Services, count: int, turns: int) -> Row:
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    row = Row("skipping other signals", "consume only", 0.75)
    with tempfile.TemporaryDirectory() as folder:
        engine = fresh(f"sqlite:///{folder}/skip.db")
        for _ in range(turns):
            notes = Notes()
            ours = Ours(_doing_nothing(Started, notes)[0], "all", services, topic, engine)
            client = consumer(services.kafka, topic)
            row.turn(
                count,
                # Whatever is handled is one too many.
                Loop(lambda: ours.read(count), lambda: [*range(ours.position()), *notes.take()]),
                Loop(lambda: read_all(client, count, lambda _: None), lambda: range(position(client))),
            )
            ours.close()
            client.close()
    return row


def effects(engine: Engine) -> list[int]:
    """The numbers of the events that left an effect; they are taken away."""
    with engine.begin() as db:
        found = list(db.execute(text("SELECT n FROM effect")).scalars())
        db.execute(text("DELETE FROM effect"))
    return found


def bulk_handler(app: str, dialect: str) -> Handlers:
    """An application whose one handler writes a row an event, in one statement a batch."""
    on = Handlers(app)
    statement = text(
        "INSERT INTO effect SELECT * FROM unnest(CAST(:s AS text[]), CAST(:n AS int[]))"
        if dialect == "postgresql"
        else "INSERT INTO effect SELECT value ->> 0, value ->> 1 FROM json_each(:rows)"
    )

    @on(Viewed)
    def bulk(found: list[Viewed], db: Connection) -> None:
        if dialect == "postgresql":
            db.execute(statement, {"s": [v.session_id for v in found], "n": [v.n for v in found]})
        else:
            db.execute(statement, {"rows": json.dumps([(v.session_id, v.n) for v in found])})

    return on


class Exact:
    """An exactly-once worker with a bulk handler, and the same statements by hand."""

    def __init__(self, services: Services, url: str, count: int) -> None:
        self.services = services
        self.url = url
        self.count = count
        self.topic = new_topic(services.kafka)
        fill(services.kafka, self.topic, encoded(views(count)))
        self.dialect = make_engine(url).dialect.name
        self.on = bulk_handler("exact", self.dialect)

    def turn(self, row: Row) -> None:
        engine = fresh(self.url)
        ours = Ours(self.on, "page.viewed", self.services, self.topic, engine)
        client = consumer(self.services.kafka, self.topic)
        by_hand = self._postgres if self.dialect == "postgresql" else self._sqlite
        with engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            handle = by_hand(raw)
            row.turn(
                self.count,
                Loop(lambda: ours.read(self.count), lambda: effects(engine)),
                Loop(lambda: read_all(client, self.count, handle, BATCH), lambda: effects(engine)),
            )
        ours.close()
        client.close()
        engine.dispose()

    def _postgres(self, raw: psycopg.Connection) -> Callable[[list[Message]], None]:
        raw.execute(FIRST_POSITION)
        raw.commit()
        validate, place = Envelope.model_validate_json, [0]
        insert = (
            "INSERT INTO oyez_inbox SELECT 'raw', s, i, 0 FROM unnest(%s::text[], %s::text[]) g(s, i) "
            "ON CONFLICT DO NOTHING RETURNING source, event_id"
        )

        def handle(messages: list[Message]) -> None:
            found = sorted((validate(m.value()) for m in messages), key=lambda e: e.id)
            before, place[0] = place[0], place[0] + len(found)
            with raw.transaction():
                raw.execute(
                    "UPDATE oyez_position SET position = %s WHERE group_name = 'raw' AND topic_id = 't' AND "
                    "partition = 0 AND epoch = 1 AND position = %s",
                    (place[0], before),
                )
                new = raw.execute(insert, ([e.source for e in found], [e.id for e in found])).fetchall()
                assert len(new) == len(found)
                keys = list({e.partitionkey for e in found})
                raw.execute(
                    "SELECT handler, key FROM oyez_parked WHERE app = 'exact' AND handler = 'bulk' AND key = ANY(%s)",
                    (keys,),
                ).fetchall()
                raw.execute(
                    "INSERT INTO effect SELECT * FROM unnest(%s::text[], %s::int[])",
                    ([e.data.session_id for e in found], [e.data.n for e in found]),
                )

        return handle

    def _sqlite(self, raw: object) -> Callable[[list[Message]], None]:
        raw.execute(FIRST_POSITION)
        raw.commit()
        validate, place = Envelope.model_validate_json, [0]
        insert = (
            "INSERT INTO oyez_inbox SELECT 'raw', value ->> 0, value ->> 1, 0 FROM json_each(?) WHERE true "
            "ON CONFLICT DO NOTHING RETURNING source, event_id"
        )

        def handle(messages: list[Message]) -> None:
            found = sorted((validate(m.value()) for m in messages), key=lambda e: e.id)
            before, place[0] = place[0], place[0] + len(found)
            raw.execute("BEGIN IMMEDIATE")
            raw.execute(
                "UPDATE oyez_position SET position = ? WHERE group_name = 'raw' AND topic_id = 't' AND "
                "partition = 0 AND epoch = 1 AND position = ?",
                (place[0], before),
            )
            new = raw.execute(insert, (json.dumps([(e.source, e.id) for e in found]),)).fetchall()
            assert len(new) == len(found)
            keys = json.dumps(list({e.partitionkey for e in found}))
            raw.execute(
                "SELECT handler, key FROM oyez_parked WHERE app = 'exact' AND handler = 'bulk' AND key IN "
                "(SELECT value FROM json_each(?))",
                (keys,),
            ).fetchall()
            raw.execute(
                "INSERT INTO effect SELECT value ->> 0, value ->> 1 FROM json_each(?)",
                (json.dumps([(e.data.session_id, e.data.n) for e in found]),),
            )
            raw.commit()

        return handle


def exactly_once(services: Services, count: int, turns: int) -> list[Row]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("PostgreSQL", services.postgres), ("SQLite", f"sqlite:///{folder}/exact.db")):
            row = Row(
                f"exactly-once, bulk handler, {name}", "the raw driver, the same statements by hand", 1.0
            )
            bench = Exact(services, url, count)
            for _ in range(turns):
                bench.turn(row)
            found.append(row)
    return found
