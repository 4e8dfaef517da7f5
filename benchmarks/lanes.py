"""Concurrent handlers of an at-least-once group: an `async def` that waits for 10 ms, beside a loop in asyncio by hand
with a task for each key, and beside the same handler without lanes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from uuid import uuid4

from accounts import Loop, Notes
from bed import Row, Services, consumer, fill, new_topic
from confluent_kafka import Consumer, Message
from listening import Envelope, Ours, fresh
from signals import Viewed, encoded

from oyez.consumers import Handlers

KEYS = 100
WAIT = 0.01  # s
FEWER = 20  # of all events in either row: each takes its time
ONE_BY_ONE = 20  # fewer still for the handler without lanes, which takes 10 ms an event


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    many = max(KEYS, count // FEWER)
    few = max(KEYS, many // ONE_BY_ONE)
    topic, short = _filled(services, many), _filled(services, few)
    work = f"async handler that waits 10 ms, {KEYS} keys, at-least-once"
    by_hand = Row(work, "asyncio by hand, a task for each key", 0.9)
    alone = Row(work, "the same handler without concurrency", 50)
    notes = Notes()
    with tempfile.TemporaryDirectory() as folder:
        engine = fresh(f"sqlite:///{folder}/lanes.db")
        for _ in range(turns):
            ours = Ours(_concurrent(notes), "all", services, topic, engine)
            client = consumer(services.kafka, topic)
            by_hand.turn(
                many,
                Loop(lambda: ours.until_done(many), notes.take),
                Loop(lambda: asyncio.run(ByHand(client, notes).run(many)), notes.take),
            )
            ours.worker.finish()
            ours.close()
            client.close()
            alone.rates["ours"].append(by_hand.rates["ours"][-1])
            plain = Ours(_plain(notes), "all", services, short, engine)
            begin = time.perf_counter()
            plain.until_done(few)
            alone.add("loop", few, time.perf_counter() - begin, notes.take())
            plain.close()
        engine.dispose()
    yield by_hand
    yield alone


def _filled(services: Services, count: int) -> str:
    """A topic with events of so many keys, in turn."""
    topic = new_topic(services.kafka)
    events = [Viewed(session_id=f"s{n % KEYS}", url="/shop", n=n) for n in range(count)]
    fill(services.kafka, topic, encoded(events))
    return topic


def _concurrent(notes: Notes) -> Handlers:
    on = Handlers(f"bench-{uuid4().hex[:8]}", promises={"all": "at-least-once"})
    note = notes.numbers.append

    @on(Viewed, group="all", order="none", concurrency=KEYS)
    async def wait(event: Viewed) -> None:
        await asyncio.sleep(WAIT)
        note(event.n)

    return on


def _plain(notes: Notes) -> Handlers:
    on = Handlers(f"bench-{uuid4().hex[:8]}", promises={"all": "at-least-once"})
    note = notes.numbers.append

    @on(Viewed, group="all", order="none")
    def wait(event: Viewed) -> None:
        time.sleep(WAIT)
        note(event.n)

    return on


class ByHand:
    """Polls in a thread, and has a task for each key that has events; so many events are under way at most."""

    LIMIT = 1000

    def __init__(self, client: Consumer, notes: Notes) -> None:
        self._client = client
        self._note = notes.numbers.append
        self._waiting: dict[str, deque[Viewed]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0
        self._room = asyncio.Event()

    async def run(self, count: int) -> None:
        seen = 0
        while seen < count:
            while self._open >= self.LIMIT:
                self._room.clear()
                await self._room.wait()
            messages = await asyncio.to_thread(self._poll)
            seen += len(messages)
            for message in messages:
                self._take(Envelope.model_validate_json(message.value() or b""))
            if messages:
                self._client.commit(asynchronous=True)
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _poll(self) -> list[Message]:
        first = self._client.poll(1.0)
        return [] if first is None else [first, *self._client.consume(249, 0)]

    def _take(self, event: Envelope) -> None:
        self._open += 1
        waiting = self._waiting.get(event.partitionkey)
        if waiting is not None:
            waiting.append(event.data)
            return
        self._waiting[event.partitionkey] = deque([event.data])
        task = asyncio.get_running_loop().create_task(self._serve(event.partitionkey))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, key: str) -> None:
        waiting = self._waiting[key]
        while waiting:
            event = waiting.popleft()
            await asyncio.sleep(WAIT)
            self._note(event.n)
            self._open -= 1
            self._room.set()
        del self._waiting[key]
