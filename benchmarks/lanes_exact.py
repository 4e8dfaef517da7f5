"""Concurrent handlers of exactly-once groups, on PostgreSQL: beside an asyncio loop by hand, and beside the batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from accounts import Loop, Notes
from bed import Figure, Row, Services, consumer, database, fill, new_topic
from confluent_kafka import Message
from listening import Envelope, effects, fresh
from signals import KEYS, Viewed, encoded, views
from sqlalchemy import URL, column, insert, make_url, table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.run.assembly import log_for, make_worker
from oyez.consumers.run.engines import engine_from
from oyez.consumers.run.lanes import lanes_for
from oyez.consumers.worker.worker import Worker

LANES = 50
WORK = 0.01  # s; what a call of a service takes
SLOW = 1.0  # s; what one key's handler takes
FEWER = 10  # events of what waits, for each of those that do not
EFFECT = table("effect", column("session_id"), column("n"))
INSERT = insert(EFFECT)
GROUP = "page.viewed"


def rows(services: Services, count: int, turns: int) -> Iterator[Row | Figure]:
    few = max(LANES, count // FEWER)
    with database(services) as url:
        yield _calling(services, url, few, turns)
        yield _nothing(services, url, count, turns)
        yield _beside_a_slow_key(services, url)


def _calling(services: Services, url: str, count: int, turns: int) -> Row:
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    on = Handlers("lanes")

    @on(Viewed, concurrency=LANES)
    async def call(view: Viewed, db: AsyncConnection) -> None:
        await asyncio.sleep(WORK)
        await db.execute(INSERT, {"session_id": view.session_id, "n": view.n})

    row = Row(
        "async, 10 ms and an INSERT each, exactly-once, PostgreSQL",
        "an asyncio loop, a transaction each",
        0.7,
    )
    for _ in range(turns):
        engine = fresh(url)
        with _worker(on, services, topic, url) as worker:
            client = consumer(services.kafka, topic)
            row.turn(
                count,
                Loop(lambda: _until_done(worker, count), lambda: effects(engine)),
                Loop(lambda: asyncio.run(_by_hand(client, make_url(url), count)), lambda: effects(engine)),
            )
            client.close()
        engine.dispose()
    return row


def _nothing(services: Services, url: str, count: int, turns: int) -> Row:
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    notes = Notes()

    def note(view: Viewed) -> None:
        notes.numbers.append(view.n)

    in_lanes, in_batches = Handlers("lanes"), Handlers("batches")
    in_lanes(Viewed, concurrency=LANES)(note)
    in_batches(Viewed)(note)
    row = Row("do-nothing handler in lanes, exactly-once, PostgreSQL", "the same in the batch", 0.3)
    for _ in range(turns):
        fresh(url).dispose()
        with (
            _worker(in_lanes, services, topic, url) as lanes,
            _worker(in_batches, services, topic, url) as batches,
        ):
            row.turn(
                count,
                Loop(lambda: _until_done(lanes, count), notes.take),
                Loop(lambda: _until_done(batches, count), notes.take),
            )
    return row


def _beside_a_slow_key(services: Services, url: str) -> Figure:
    """How long others wait for a commit while one key's handler takes seconds, and while none does."""
    p99 = {slow: _waits(services, url, slow=slow) for slow in (False, True)}
    ratio = p99[True] / p99[False]
    said = f"{p99[True] * 1e3:.0f} ms, without it {p99[False] * 1e3:.0f} ms: {ratio:.2f}"
    return Figure(
        "p99 beside a key whose handler takes a second", "without that key", said, "1.2", ratio <= 1.2
    )


def _waits(services: Services, url: str, *, slow: bool) -> float:
    """The p99 of the seconds from the beginning to the handler's end, of one event of each key."""
    topic, on, ends = new_topic(services.kafka), Handlers("lanes"), list[float]()
    stream = [Viewed(session_id="slow", url="", n=-n) for n in range(1, 4)] if slow else []
    stream += views(KEYS)
    fill(services.kafka, topic, encoded(stream))

    @on(Viewed, concurrency=LANES)
    async def call(view: Viewed) -> None:
        await asyncio.sleep(SLOW if view.session_id == "slow" else WORK)
        if view.session_id != "slow":
            ends.append(time.perf_counter())

    fresh(url).dispose()
    with _worker(on, services, topic, url) as worker:
        begun = time.perf_counter()
        _until_done(worker, len(stream))
    return sorted(ends)[-max(1, len(ends) // 100)] - begun


@contextmanager
def _worker(on: Handlers, services: Services, topic: str, url: str) -> Iterator[Worker]:
    """A worker that has joined, with its lanes at work."""
    group = Application(on).group(GROUP)
    settings = ListenSettings(kafka=services.kafka, topic=topic, database=url)
    engine = engine_from(settings)
    lanes = lanes_for(group, settings)
    worker = make_worker(group, settings, engine=engine, source=log_for(group, settings, engine), lanes=lanes)
    ended: list[bool] = []
    while not worker._log.positions():
        worker.step()
    if lanes is not None:
        lanes.start(lambda: bool(ended))
    try:
        yield worker
    finally:
        ended.append(True)
        worker.finish()
        worker.leave()
        engine.dispose()


def _until_done(worker: Worker, count: int) -> None:
    while worker.tally.done < count:
        worker.step()


async def _by_hand(client: object, address: URL, count: int) -> None:
    """A task for each key, in order, so many at once, and a transaction for each event."""
    engine = create_async_engine(address, pool_size=LANES)
    room, waiting = asyncio.Semaphore(LANES), dict[str, asyncio.Queue[Viewed | None]]()
    async with asyncio.TaskGroup() as tasks:
        seen = 0
        while seen < count:
            messages: list[Message] = await asyncio.to_thread(client.consume, 500, 0.1)  # type: ignore[attr-defined]
            seen += len(messages)
            for message in messages:
                view = Envelope.model_validate_json(message.value()).data
                if view.session_id not in waiting:
                    waiting[view.session_id] = asyncio.Queue()
                    tasks.create_task(_one_key(waiting[view.session_id], room, engine))
                waiting[view.session_id].put_nowait(view)
        for line in waiting.values():
            line.put_nowait(None)
    await engine.dispose()


async def _one_key(line: asyncio.Queue[Viewed | None], room: asyncio.Semaphore, engine: AsyncEngine) -> None:
    while (view := await line.get()) is not None:
        async with room, engine.begin() as db:
            await asyncio.sleep(WORK)
            await db.execute(INSERT, {"session_id": view.session_id, "n": view.n})
