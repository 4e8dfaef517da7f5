"""What traces cost: nothing where no SDK is set up, and what the SDK takes where one is."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from accounts import Loop, Notes
from bed import Row, Services, fill, new_topic
from listening import Ours, _doing_nothing, fresh
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from signals import Viewed, encoded, views

from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import catalogue, decode

API = "opentelemetry.trace"


@contextmanager
def away() -> Iterator[None]:
    """As in an application that has never loaded OpenTelemetry."""
    module = sys.modules.pop(API)
    try:
        yield
    finally:
        sys.modules[API] = module


@contextmanager
def set_up() -> Iterator[None]:
    """As in an application with the SDK, which records all spans and sends them nowhere. It lets nobody undo that, so
    that its own variable is what is set."""
    before = trace._TRACER_PROVIDER
    trace._TRACER_PROVIDER = TracerProvider()
    try:
        yield
    finally:
        trace._TRACER_PROVIDER = before


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    yield from announcing(count, turns)
    yield handling(services, count, turns)


def announcing(count: int, turns: int) -> list[Row]:
    """Over the memory transport: what is measured is what comes before a transport."""
    events = views(count)
    loaded = Row("announce(), OpenTelemetry loaded, no SDK", "not loaded", 0.97)
    traced = Row("announce(), each a span of the SDK", "not traced", 0.1)
    for _ in range(turns):
        for row, around in ((loaded, _as_it_is), (traced, set_up)):
            row.turn(count, _announced(events, around), _announced(events, away))
    return [loaded, traced]


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def _announced(events: list[Viewed], around: object) -> Loop:
    broker = MemoryBroker(partitions=1)

    def run() -> None:
        with around():  # type: ignore[operator]
            announcer = Announcer(MemoryTransport(broker), source="bench")
            for event in events:
                announcer.announce(event)
            announcer.close()

    def handled() -> list[int]:
        read = broker.read("oyez.events", 0, 0, len(events) + 1)
        return [decode(one.value(), (), None, catalogue).data.n for one in read]

    return Loop(run, handled)


def handling(services: Services, count: int, turns: int) -> Row:
    """A do-nothing handler that is called for each event, over Kafka."""
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    row = Row("do-nothing typed handler, at-least-once, each a span", "not traced", 0.05)
    notes = Notes()
    with tempfile.TemporaryDirectory() as folder:
        engine = fresh(f"sqlite:///{folder}/traced.db")
        for _ in range(turns):
            plain = Ours(_doing_nothing(Viewed, notes)[0], "all", services, topic, engine)
            with set_up():
                traced = Ours(_doing_nothing(Viewed, notes)[0], "all", services, topic, engine)
            row.turn(
                count,
                Loop(lambda: traced.read(count), notes.take),  # it is called in this turn
                Loop(lambda: plain.read(count), notes.take),
            )
            plain.close()
            traced.close()
    return row
