"""Each call of a handler is a span, where the application has set up OpenTelemetry."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Placed, Play, Viewed, note
from oyez.consumers import HandlerAnnouncer, Handlers, NotReady, Reject, RetryAfter
from oyez.consumers.handlers.registry import Promise
from oyez.schemas import Event
from support.spans import Recorded, is_child, linked, span_id, traceparent

FORMS = ["model", "event", "tool", "session", "no database"]


def handlers_of(form: str, spans: Recorded, promise: Promise = "exactly-once") -> Handlers:
    """A handler of that form, with a span of its own."""
    on = Handlers("g", promises={"placed": promise})

    def work() -> None:
        with spans.tracer.start_as_current_span("work"):
            pass

    def model(event: Placed, db: Connection) -> None:
        note(db, "h", event.n)
        work()

    def whole(event: Event[Placed], db: Connection) -> None:
        note(db, "h", event.data.n)
        work()

    def session(event: Placed, db: Session) -> None:
        note(db, "h", event.n)
        work()

    def tool(event: Placed, db: Connection, announcer: HandlerAnnouncer) -> None:
        note(db, "h", event.n)
        work()

    def plain(event: Placed) -> None:
        assert isinstance(event, Placed)
        work()

    forms = {"model": model, "event": whole, "session": session, "tool": tool, "no database": plain}
    on(Placed, name="h")(forms[form])
    return on


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


@pytest.mark.parametrize("form", FORMS)
def test_a_call_is_a_child_of_the_announcement(play: Play, spans: Recorded, form: str) -> None:
    pipeline = play(handlers_of(form, spans))
    pipeline.handle(*(Placed(k=f"k{n}", n=n) for n in range(3)))
    announced, calls, work = (spans.named(name) for name in ("announce placed", "process placed", "work"))
    assert [is_child(call, parent) for call, parent in zip(calls, announced, strict=True)] == [True] * 3
    assert [is_child(one, call) for one, call in zip(work, calls, strict=True)] == [True] * 3
    if form != "no database":
        assert pipeline.effects("h") == [0, 1, 2]


def test_what_a_call_says(play: Play, spans: Recorded) -> None:
    play(handlers_of("model", spans)).handle(Placed(k="k7"))
    announced, call = spans.one("announce placed"), spans.one("process placed")
    event_id = attributes(announced)["messaging.message.id"]
    assert (call.kind, call.status.status_code) == (SpanKind.CONSUMER, StatusCode.UNSET)
    assert attributes(call) == {
        "messaging.system": "oyez",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "g.placed",
        "messaging.destination.name": "pipeline",
        "messaging.destination.partition.id": "0",
        "messaging.message.id": event_id,
        "cloudevents.event_id": event_id,
        "cloudevents.event_source": "web",
        "cloudevents.event_type": "placed",
        "oyez.handler": "h",
        "oyez.key": "k7",
        "oyez.offset": 0,
        "oyez.outcome": "Done",
    }


def test_at_least_once(play: Play, spans: Recorded) -> None:
    pipeline = play(handlers_of("no database", spans, "at-least-once"))
    pipeline.handle(Placed(n=1), Placed(n=2))
    announced, calls = spans.named("announce placed"), spans.named("process placed")
    assert [is_child(call, parent) for call, parent in zip(calls, announced, strict=True)] == [True] * 2


def test_a_batch_is_linked_to_its_events(play: Play, spans: Recorded) -> None:
    on = Handlers("g")

    @on(Placed)
    def several(events: list[Placed], db: Connection) -> None:
        note(db, "several", *(event.n for event in events))

    pipeline = play(on)
    with spans.tracer.start_as_current_span("one request"):
        pipeline.announce(*(Placed(n=n) for n in range(3)))
    pipeline.run()
    assert pipeline.parked() == []
    call = spans.one("process placed")
    assert call.parent is None
    assert linked(call) == [span_id(one) for one in spans.named("announce placed")]
    assert attributes(call)["messaging.batch.message_count"] == 3
    assert "messaging.message.id" not in attributes(call)


ENDS = {
    "Failed": (ValueError("as told"), StatusCode.ERROR),
    "NotReady": (NotReady(), StatusCode.UNSET),
    "RetryAfter": (RetryAfter(5), StatusCode.UNSET),
    "Reject": (Reject("never"), StatusCode.UNSET),
}


@pytest.mark.parametrize("end", ENDS)
def test_how_a_call_ended(play: Play, spans: Recorded, end: str) -> None:
    error, status = ENDS[end]
    on = Handlers("g")

    @on(Placed)
    def fails(event: Placed, db: Connection) -> None:
        raise error

    play(on).handle(Placed())
    calls = spans.named("process placed")
    assert {attributes(call)["oyez.outcome"] for call in calls} == {end}
    assert {call.status.status_code for call in calls} == {status}
    if end == "Failed":
        assert {attributes(call)["error.type"] for call in calls} == {"ValueError"}


def test_what_was_parked_keeps_its_trace(play: Play, spans: Recorded) -> None:
    on = Handlers("g")

    @on(Opened)
    def opened(event: Opened, db: Connection) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewed(event: Viewed, db: Connection) -> None:
        note(db, "viewed", event.n)

    pipeline = play(on)
    pipeline.handle(Viewed())
    assert spans.named("process viewed") == []
    pipeline.handle(Opened())
    call = spans.one("process viewed")
    assert is_child(call, spans.one("announce viewed"))
    assert attributes(call)["oyez.waited_for"] == ("opened s1",)
    assert attributes(call)["oyez.attempt"] == 1


def test_what_a_handler_announces_goes_on_with_its_trace(play: Play, spans: Recorded) -> None:
    on = Handlers("g")

    @on(Placed)
    def passes_on(event: Placed, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Opened(n=event.n))

    play(on).handle(Placed())
    assert is_child(spans.one("announce opened"), spans.one("process placed"))


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_in_lanes(lanes: Play, spans: Recorded, kind: str) -> None:
    on = Handlers("g")
    if kind == "def":

        @on(Placed, name="h", concurrency=3)
        def threaded(event: Placed, db: Connection) -> None:
            note(db, "h", event.n)
            with spans.tracer.start_as_current_span("work"):
                pass
    else:

        @on(Placed, name="h", concurrency=3)
        async def awaited(event: Placed, db: AsyncConnection) -> None:
            await db.run_sync(note, "h", event.n)
            with spans.tracer.start_as_current_span("work"):
                pass

    pipeline = lanes(on)
    pipeline.handle(*(Placed(k=f"k{n}", n=n) for n in range(4)))
    assert sorted(pipeline.effects("h")) == [0, 1, 2, 3]
    announced = {span_id(one) for one in spans.named("announce placed")}
    calls = spans.named("process placed")
    assert {call.parent.span_id for call in calls if call.parent} == announced
    assert {one.parent.span_id for one in spans.named("work") if one.parent} == set(map(span_id, calls))


def test_nobody_is_watched_without_tracing(play: Play) -> None:
    on = Handlers("g")

    @on(Placed)
    def placed(event: Placed, db: Connection) -> None: ...

    (handler,) = play(on).application.handlers
    assert not handler.is_watched


def test_a_release_is_linked_to_what_released(play: Play, spans: Recorded) -> None:
    on = Handlers("g")

    @on(Opened)
    def opened(event: Opened, db: Connection) -> None: ...

    @on(Viewed)
    def viewed(event: Viewed, db: Connection) -> None: ...

    pipeline = play(on)
    pipeline.handle(Viewed(n=1), Viewed(n=2))
    assert spans.named("release") == []
    pipeline.handle(Opened())
    release = spans.one("release")
    assert linked(release) == [span_id(spans.one("announce opened"))]
    assert attributes(release) == {
        "oyez.met": ("opened s1",),
        "oyez.released": 1,  # the other one is behind it
        "oyez.revived": 0,
        "oyez.groups": ("g.viewed",),
    }


@pytest.mark.parametrize("end", ["Failed", "NotReady", "RetryAfter"])
def test_further_attempts_are_linked_to_the_first(play: Play, spans: Recorded, end: str) -> None:
    error, _ = ENDS[end]
    on = Handlers("g")
    seen: list[int] = []

    @on(Placed)
    def fails(event: Placed, db: Connection) -> None:
        seen.append(event.n)
        if len(seen) < 4:
            raise error

    pipeline = play(on)
    pipeline.handle(Placed())
    while pipeline.parked():
        pipeline.later()
    calls = spans.named("process placed")
    assert all(is_child(call, spans.one("announce placed")) for call in calls)
    *_, third, fourth = calls
    first = spans.named("process placed")[len(calls) - len([c for c in calls if linked(c)]) - 1]
    assert linked(third) == linked(fourth) == [span_id(first)]


def test_a_dead_letter_that_is_tried_again_is_linked_to_the_first_attempt(
    play: Play, spans: Recorded
) -> None:
    on = Handlers("g")

    @on(Placed)
    def rejects(event: Placed, db: Connection) -> None:
        raise Reject("never")

    pipeline = play(on)
    pipeline.handle(Placed())
    (first,) = pipeline.rows("dead", "first_attempt")
    assert first == traceparent(spans.named("process placed")[-1])


def test_in_lanes_too(lanes: Play, spans: Recorded) -> None:
    on = Handlers("g")
    seen: list[int] = []

    @on(Placed, concurrency=2)
    def fails(event: Placed, db: Connection) -> None:
        seen.append(event.n)
        if len(seen) < 3:
            raise ValueError("as told")

    pipeline = lanes(on)
    pipeline.handle(Placed())
    pipeline.later()
    pipeline.later()
    first, second, third = spans.named("process placed")
    assert (linked(first), linked(second), linked(third)) == ([], [span_id(first)], [span_id(first)])
