"""Log lines of an application say which event is being handled."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

import oyez.consumers
from consumers.pipeline import Placed, Play
from oyez.consumers import Handlers
from support.spans import Recorded, span_id

log = logging.getLogger("the.application")
ASKED = ("event_id", "event_source", "signal", "handler", "trace_id", "span_id")


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler = Kept()
    handler.addFilter(oyez.consumers.EventIds())  # calls are watched once this is imported, and not before
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


def ids(record: logging.LogRecord) -> list[object]:
    return [vars(record)[name] for name in ASKED]


def test_in_a_handler_of_single_events(play: Play, kept: Kept) -> None:
    on = Handlers("g")
    told: list[dict[str, object]] = []

    @on(Placed)
    def placed(event: Placed, db: Connection) -> None:
        log.warning("handling %d", event.n)
        told.append(dict(oyez.consumers.add_event_ids(None, "warning", {"event": "handling"})))

    pipeline = play(on)
    first = pipeline.announcer.announce(Placed(n=1))
    pipeline.run()
    log.warning("outside")
    inside, outside = kept.records
    assert ids(inside) == [first, "web", "placed", "placed", None, None]
    assert told == [
        {
            "event": "handling",
            "event_id": first,
            "event_source": "web",
            "signal": "placed",
            "handler": "placed",
        }
    ]
    assert ids(outside) == [None] * 6


def test_in_a_handler_of_batches(play: Play, kept: Kept) -> None:
    on = Handlers("g")

    @on(Placed)
    def several(events: list[Placed], db: Connection) -> None:
        log.warning("handling %d", len(events))

    play(on).handle(Placed(n=1), Placed(n=2))
    assert [ids(one) for one in kept.records] == [[None, None, "placed", "several", None, None]]


def test_with_the_ids_of_the_span(play: Play, spans: Recorded, kept: Kept) -> None:
    on = Handlers("g")

    @on(Placed)
    def placed(event: Placed, db: Connection) -> None:
        log.warning("handling")

    play(on).handle(Placed())
    call = spans.one("process placed")
    here = call.get_span_context()
    assert here is not None
    assert ids(kept.records[0])[4:] == [f"{here.trace_id:032x}", f"{span_id(call):016x}"]


def test_an_event_that_was_traced_elsewhere_still_says_its_trace(
    play: Play, spans: Recorded, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = Handlers("g")

    @on(Placed)
    def placed(event: Placed, db: Connection) -> None:
        log.warning("handling")

    with monkeypatch.context() as away:
        away.setattr("opentelemetry.trace._TRACER_PROVIDER", None)
        pipeline = play(on)
    pipeline.handle(Placed())
    announced = spans.one("announce placed").get_span_context()
    assert announced is not None
    assert ids(kept.records[0])[4:] == [f"{announced.trace_id:032x}", None]


def test_what_a_line_says_itself_stays(play: Play, kept: Kept) -> None:
    on = Handlers("g")
    told: list[dict[str, object]] = []

    @on(Placed)
    def placed(event: Placed, db: Connection) -> None:
        log.warning("handling", extra={"handler": "mine"})
        told.append(dict(oyez.consumers.add_event_ids(None, "warning", {"handler": "mine"})))

    play(on).handle(Placed())
    assert (kept.records[0].__dict__["handler"], told[0]["handler"]) == ("mine", "mine")
