"""Writing events, and reading what we wrote: the fast path and the full path agree."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from oyez.schemas import Event, InvalidEvent, Signal, Undecodable, UnknownSignal, decode
from oyez.schemas.decoding import check_text, envelope_decoder, event_of
from oyez.schemas.encoding import CANONICAL, Encoder, prefix
from schemas.signals import OrderPaid, PageViewed, Place, SessionStarted, known

TIME = "2024-05-01T10:20:30.000123Z"

anything = st.text(st.characters(exclude_categories=["Cs"]))
naming = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=250)


def encoded(
    data: Signal, *, event_id: str = "e1", key: str | None = "s1", subject: str | None = None
) -> bytes:
    return Encoder("web-1", known).encode(data, id=event_id, time=TIME, key=key, subject=subject)


def both_paths(value: bytes, signal: str) -> Event[Signal]:
    """The event, read by both paths, which must agree."""
    declaration = known[signal]
    fast: Event[Signal] = event_of(declaration, envelope_decoder(declaration)(value))
    assert decode(value, [("content-type", b"application/cloudevents+json")], b"s1", known) == fast
    return fast


def test_the_bytes_on_the_wire() -> None:
    assert encoded(PageViewed(session_id="s1", url="/ü")).decode() == (
        '{"specversion":"1.0","type":"page.viewed","source":"web-1","id":"e1","time":"2024-05-01T10:20:30.000123Z",'
        '"partitionkey":"s1","data":{"session_id":"s1","url":"/ü"}}'
    )
    assert encoded(SessionStarted(session_id="s1"), key=None, subject="s1").decode() == (
        '{"specversion":"1.0","type":"session.started","source":"web-1","id":"e1","time":"2024-05-01T10:20:30.000123Z",'
        '"subject":"s1","data":{"session_id":"s1","place":null}}'
    )


def test_every_event_begins_with_its_signals_prefix() -> None:
    value = encoded(PageViewed(session_id="s1", url="/"))
    assert value.startswith(prefix("page.viewed"))
    assert prefix("page.viewed").startswith(CANONICAL)


def test_what_is_read_is_what_was_written() -> None:
    paid = OrderPaid(
        order_id=7,
        receipt=UUID(int=5),
        amount=Decimal("1.10"),
        paid_at=datetime(2024, 1, 1, tzinfo=UTC),
        proof=b"\xff\x00",
        by="me",
    )
    event = both_paths(encoded(paid, key="7", subject="7"), "order.paid")
    assert event == Event(
        id="e1",
        source="web-1",
        time=datetime(2024, 5, 1, 10, 20, 30, 123, UTC),
        signal="order.paid",
        key="7",
        subject="7",
        data=paid,
    )
    assert event.time is not None
    assert event.time.tzinfo is UTC


@given(source=naming, event_id=naming, key=st.none() | naming, session=naming, url=anything)
def test_any_text_survives(source: str, event_id: str, key: str | None, session: str, url: str) -> None:
    view = PageViewed(session_id=session, url=url)
    value = Encoder(source, known).encode(view, id=event_id, time=TIME, key=key, subject=None)
    declaration = known["page.viewed"]
    event = event_of(declaration, envelope_decoder(declaration)(value))
    assert (event.source, event.id, event.key, event.data) == (source, event_id, key, view)
    assert decode(value, (), None, known) == event
    assert json.loads(value)["data"] == {"session_id": session, "url": url}


@given(session=naming)
def test_any_subject_survives(session: str) -> None:
    value = encoded(SessionStarted(session_id=session), subject=session)
    assert json.loads(value)["subject"] == session
    assert both_paths(value, "session.started").subject == session


def test_unknown_members_are_ignored_at_every_depth() -> None:
    value = encoded(SessionStarted(session_id="s1", place=Place(city="Ulm")), subject="s1")
    value = value.replace(b'"city"', b'"street":"x","city"').replace(b'"place"', b'"new":[1],"place"')
    value = value.replace(b'"time"', b'"traceparent":"00","time"')
    assert both_paths(value, "session.started").data == SessionStarted(
        session_id="s1", place=Place(city="Ulm")
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id":"e1",', b""),
        (b'"id":"e1"', b'"id":""'),
        (b'"id":"e1"', b'"id":7'),
        (b'"id":"e1"', b'"id":"' + b"x" * 251 + b'"'),
        (b'"source":"web-1"', b'"source":null'),
        (b'"url":"/"', b'"url":7'),
        (b'"data":{', b'"date":{'),
        (b'{"session_id":"s1","url":"/"}', b'"text"'),
        (b"}}", b"}"),
    ],
)
def test_a_missing_or_wrong_member_is_refused_by_both_paths(old: bytes, new: bytes) -> None:
    value = encoded(PageViewed(session_id="s1", url="/")).replace(old, new)
    with pytest.raises(ValidationError):
        envelope_decoder(known["page.viewed"])(value)
    with pytest.raises(Undecodable) as caught:
        decode(value, (), None, known)
    assert "\n" not in caught.value.reason


def test_texts_that_a_database_refuses() -> None:
    declaration = known["session.started"]
    decoder = envelope_decoder(declaration)
    for session in ("a\0b", "a" * 251):
        value = encoded(SessionStarted(session_id=session), subject=session)
        envelope = decoder(value)
        with pytest.raises(Undecodable, match="subject: "):
            check_text(declaration, envelope)
        with pytest.raises(Undecodable, match="subject: "):
            decode(value, (), None, known)
    check_text(declaration, decoder(encoded(SessionStarted(session_id="s1"))))


def test_an_unknown_signal_is_named() -> None:
    value = encoded(PageViewed(session_id="s1", url="/")).replace(b"page.viewed", b"page.closed")
    with pytest.raises(UnknownSignal, match=r"page\.closed"):
        decode(value, (), None, known)


def test_data_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="PageViewed cannot be written as JSON"):
        encoded(PageViewed(session_id="s1", url="\ud800"))
    with pytest.raises(ValidationError, match="finite"):
        Reading(value=float("nan"))
    for source in ("", "a" * 251, "a\0"):
        with pytest.raises(InvalidEvent, match="source"):
            Encoder(source)


class Reading(Signal):
    value: float
