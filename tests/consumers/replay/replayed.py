"""A pipeline with two groups, and what was stored of its events."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection

from consumers.pipeline import TOPIC, Pipeline, Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.database import Database
from oyez.consumers.replay.announcing import Announcing
from oyez.consumers.replay.choosing import Picked, Wanted, chosen, look
from oyez.consumers.replay.delivering import Delivered, Delivering
from oyez.consumers.replay.identity import Identity, kept
from oyez.consumers.replay.sources import Kept
from oyez.producers import MemoryTransport
from oyez.producers.ordered_sender import OrderedSender

Failing = Callable[[int], None]


def handlers(failing: Failing = lambda _n: None) -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        failing(event.n)
        note(db, "place", event.n)

    @on(Placed)
    def beside(event: Placed, db: Connection) -> None:
        note(db, "beside", event.n)

    @on(Placed, group="other")
    def other(event: Placed, db: Connection) -> None:
        note(db, "other", event.n)

    return on


class Stored:
    """What the broker has."""

    def __init__(self, pipeline: Pipeline) -> None:
        broker = pipeline.broker
        self._kept = [
            Kept(f"{TOPIC} at {one.offset()}", TOPIC, one.value(), one.key(), one.headers())
            for one in broker.read(TOPIC, 0, 0, broker.end(TOPIC, 0))
        ]

    def read(self, since: float | None) -> Iterator[Kept]:
        yield from self._kept


def picked(pipeline: Pipeline, wanted: Wanted | None = None) -> list[Picked]:
    """The stored events that are meant; all unless said."""
    source, wanted = Stored(pipeline), wanted or Wanted()
    return list(chosen(source, wanted, look(source, wanted)))


def announce_again(pipeline: Pipeline, identity: Identity = kept) -> int:
    """Announce what is stored, and let the workers run."""
    sender = OrderedSender(MemoryTransport(pipeline.broker))
    count = Announcing(sender, lambda _one: TOPIC, identity, timeout=1.0).step(picked(pipeline))
    pipeline.run()
    return count


def deliver(
    pipeline: Pipeline,
    some: Sequence[Picked],
    *,
    run: str = "r1",
    identity: Identity = kept,
    name: str = "place",
) -> Delivered:
    """Deliver these events to a handler; nothing runs."""
    (handler,) = (one for one in pipeline.application.handlers if one.name == name)
    group = pipeline.application.groups[handler.group]
    delivering = Delivering(
        group, handler, Database(pipeline.engine), pipeline.clock, identity=identity, run=run
    )
    return delivering.step(some)


def with_events(play: Play, count: int, keys: int = 3, failing: Failing = lambda _n: None) -> Pipeline:
    """A pipeline that has handled so many events."""
    pipeline = play(handlers(failing))
    pipeline.handle(*(Placed(k=f"k{n % keys}", n=n) for n in range(count)))
    return pipeline


def in_parts(chance: random.Random, some: Sequence[Picked]) -> Iterator[Sequence[Picked]]:
    """Them all, in parts of any size."""
    rest = list(some)
    while rest:
        size = chance.randint(1, 4)
        yield rest[:size]
        rest = rest[size:]
