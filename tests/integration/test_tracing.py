"""One trace from a request to what was released by it, over real processes, Kafka and PostgreSQL, at a receiver."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from consumers.cli.running import Shop
from support.otlp import Receiver, receiving
from support.services import unique
from support.waiting import eventually

APP = """
import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from sqlalchemy.orm import Session

from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.schemas import Signal

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(os.environ["SHOP_RECEIVER"])))
trace.set_tracer_provider(provider)


class Opened(Signal, name="shop.opened", key="shop", subject="shop"):
    shop: str


class Visited(Signal, name="shop.visited", key="shop", requires={Opened: "shop"}):
    shop: str


class Greeted(Signal, name="shop.greeted", key="shop"):
    shop: str


on = Handlers("NAME")
tried = []


@on(Opened)
def opened(event: Opened, db: Session) -> None: ...


@on(Visited)
def visited(event: Visited, announcer: HandlerAnnouncer) -> None:
    if not tried:
        tried.append(event)
        raise ValueError("not the first time")
    announcer.announce(Greeted(shop=event.shop))


@on(Greeted)
def greeted(event: Greeted, db: Session) -> None: ...
"""


@pytest.fixture
def shop(tmp_path: Path, kafka: str, topic: str, postgres: str) -> Shop:
    (tmp_path / "traced.py").write_text(APP.replace("NAME", unique("traced")))
    settings = {
        "OYEZ_APP": "traced:on",
        "OYEZ_KAFKA": kafka,
        "OYEZ_TOPIC": topic,
        "OYEZ_DATABASE": postgres,
        "OYEZ_SWEEP_EVERY": "0.2",
        "OTEL_BSP_SCHEDULE_DELAY": "600000",  # what arrives was sent because its process ended
    }
    return Shop(tmp_path, settings)


def parent(span: Span, receiver: Receiver) -> str | None:
    """The name of its parent, of the same trace."""
    found = [one.name for one in receiver.spans if one.span_id == span.parent_span_id]
    return found[0] if found else None


def test_one_trace_over_all_processes(shop: Shop) -> None:
    with receiving() as receiver:
        shop = Shop(shop.folder, {**shop.settings, "SHOP_RECEIVER": receiver.endpoint})
        shop.print("db", "upgrade")
        shop.print("announce", "shop.visited", "-d", '{"shop": "s1"}')
        with shop.running("listen") as running:
            eventually(lambda: '"waiting": 1' in shop.print("status", "--json"), 60)
            shop.print("announce", "shop.opened", "-d", '{"shop": "s1"}')
            eventually(lambda: not parked(shop), 60)
            assert running.end(signal.SIGTERM) == 0, running.said()
        eventually(lambda: len(receiver.named("process shop.greeted")) == 1, 30)
        first, second = receiver.named("process shop.visited")
        assert {parent(first, receiver), parent(second, receiver)} == {"announce shop.visited"}
        assert [parent(one, receiver) for one in receiver.named("announce shop.greeted")] == [
            "process shop.visited"
        ]
        (greeted,) = receiver.named("process shop.greeted")
        assert parent(greeted, receiver) == "announce shop.greeted"
        assert greeted.trace_id == first.trace_id == second.trace_id
        assert len(receiver.named("release")) == 1


def parked(shop: Shop) -> bool:
    return shop.print("retry", "list", "--json").strip() != "[]"
