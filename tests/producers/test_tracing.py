"""Announcing is traced where the application has set up OpenTelemetry; the event says in which span that was."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from oyez.producers import Announcer, AsyncAnnouncer, MemoryTransport, NotAnnounced
from oyez.producers.errors import TransportRefused
from oyez.producers.tracing import send_spans
from oyez.schemas import InvalidEvent, UnknownSignal, decode
from oyez.schemas.encoding import trace_members
from producers.shop import OrderPaid, Ticked, events_in, known, memory_announcer, value_at
from support.spans import Recorded, is_child, recording, traceparent


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    with recording(monkeypatch) as recorded:
        yield recorded


def read_again(members: dict[str, Any]) -> tuple[str | None, str | None]:
    """The trace of an event with these members, as a listener reads it."""
    value = {"specversion": "1.0", "type": "ticked", "source": "s", "id": "i", "data": {}} | members
    event = decode(json.dumps(value).encode(), (), None, known)
    return event.traceparent, event.tracestate


def test_the_event_says_in_which_span_it_was_announced(spans: Recorded) -> None:
    announcer, broker = memory_announcer()
    with spans.tracer.start_as_current_span("a request"):
        event_id = announcer.announce(Ticked())
    span, request = spans.one("announce ticked"), spans.one("a request")
    assert is_child(span, request)
    assert span.kind is SpanKind.PRODUCER
    (event,) = events_in(broker)
    assert event.traceparent == traceparent(span)
    assert dict(span.attributes or {}) == {
        "messaging.system": "oyez",
        "messaging.operation.name": "announce",
        "messaging.operation.type": "create",
        "messaging.destination.name": "oyez.events",
        "messaging.message.id": event_id,
        "cloudevents.event_id": event_id,
        "cloudevents.event_source": "web-1",
        "cloudevents.event_type": "ticked",
    }


def test_without_tracing_nothing_is_said(spans: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    announcer, broker = memory_announcer()
    announcer.announce(Ticked())
    (event,) = events_in(broker)
    assert (event.traceparent, event.tracestate, spans.names()) == (None, None, [])
    assert b"trace" not in value_at(broker, 0)


def test_nobody_loads_opentelemetry_for_an_application_that_does_not() -> None:
    code = """
import sys
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Catalogue, Signal
class Ticked(Signal, catalogue=(known := Catalogue()), name="ticked"): ...
Announcer(MemoryTransport(MemoryBroker()), source="s", catalogue=known).announce(Ticked())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_what_is_set_up_later_is_found_with_the_next_new_signal(
    spans: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    announcer, _ = memory_announcer()
    with monkeypatch.context() as before:
        before.setattr(trace, "_TRACER_PROVIDER", None)
        announcer.announce(Ticked())
        announcer.announce(Ticked())
    announcer.announce(OrderPaid(order_id=1))  # the first of its kind: it is looked for again
    announcer.announce(Ticked())
    assert spans.names() == ["announce ticked"]


def test_a_name_or_number_with_data_is_traced_under_its_signal(spans: Recorded) -> None:
    announcer, broker = memory_announcer()
    announcer.announce("page.viewed", {"session_id": "s", "url": "/"})
    announcer.announce(3, b'{"session_id": "s", "url": "/"}')
    assert spans.names() == ["announce page.viewed"] * 2
    assert [event.traceparent for event in events_in(broker)] == [
        traceparent(span) for span in spans.named("announce page.viewed")
    ]


def test_what_may_not_be_announced_is_a_span_that_failed(spans: Recorded) -> None:
    announcer, _ = memory_announcer()
    with pytest.raises(UnknownSignal):
        announcer.announce("nobody.knows.this", {})
    with pytest.raises(InvalidEvent):
        announcer.announce("order.paid", {})
    for name, kind in ("announce", "UnknownSignal"), ("announce order.paid", "InvalidEvent"):
        span = spans.one(name)
        assert (span.status.status_code, dict(span.attributes or {})["error.type"]) == (
            StatusCode.ERROR,
            kind,
        )


def test_a_transport_that_refuses_fails_the_span(spans: Recorded) -> None:
    class Full(MemoryTransport):
        def send(self, topic: str, key: bytes | None, value: bytes) -> None:
            raise TransportRefused("full")

    _, broker = memory_announcer()
    with pytest.raises(NotAnnounced):
        Announcer(Full(broker), source="web", catalogue=known).announce(Ticked())
    assert dict(spans.one("announce ticked").attributes or {})["error.type"] == "NotAnnounced"


def test_in_asyncio_the_span_ends_when_the_event_is_stored(spans: Recorded) -> None:
    _, broker = memory_announcer()

    async def announce() -> None:
        async with AsyncAnnouncer(MemoryTransport(broker), source="web", catalogue=known) as announcer:
            with spans.tracer.start_as_current_span("a request"):
                await asyncio.gather(*(announcer.announce(Ticked()) for _ in range(3)))

    asyncio.run(announce())
    made = spans.named("announce ticked")
    assert all(is_child(span, spans.one("a request")) for span in made)
    assert sorted(str(event.traceparent) for event in events_in(broker)) == sorted(map(traceparent, made))


BINARY = {"specversion": "1.0", "type": "ticked", "source": "s", "id": "i"}


@pytest.mark.parametrize("state", ['v="x"', "a=1,b=2", "back\\slash=1"])
def test_a_state_arrives_as_it_was(state: str) -> None:
    members = trace_members({"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "tracestate": state})
    assert read_again(json.loads("{" + members.removeprefix(",") + "}"))[1] == state


@pytest.mark.parametrize("odd", [7, None, {"a": 1}, ["x"]])
def test_a_trace_that_is_no_text_is_no_reason_to_refuse_an_event(odd: object) -> None:
    assert read_again({"traceparent": odd, "tracestate": odd}) == (None, None)


def test_a_binary_event_says_it_in_its_headers() -> None:
    headers = [(f"ce_{name}", text.encode()) for name, text in BINARY.items()]
    event = decode(b"{}", [*headers, ("ce_traceparent", b"00-x"), ("ce_tracestate", b"\xff")], None, known)
    assert (event.traceparent, event.tracestate) == ("00-x", None)


def test_nobody_waits_for_a_collector_that_is_away(
    spans: Recorded, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = Event()
    monkeypatch.setattr(trace.get_tracer_provider(), "force_flush", lambda _ms: done.wait(60), raising=False)
    send_spans(0.05)
    done.set()
    assert "were not sent within 0.05 s" in caplog.text
