"""Other producers' events: any member order, binary mode, and what is refused with which reason."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from oyez.schemas import Undecodable, decode
from oyez.schemas.foreign import read_envelope
from schemas.signals import PageViewed, known

EVENT: dict[str, Any] = {
    "data": {"url": "/", "session_id": "s1"},
    "time": "2024-05-01T12:20:30+02:00",
    "id": "e1",
    "traceparent": "00-ab",
    "type": "page.viewed",
    "source": "/web/1",
    "specversion": "1.0",
    "partitionkey": "k",
}
BINARY = [
    ("ce_specversion", b"1.0"),
    ("ce_type", b"page.viewed"),
    ("ce_source", "/büro".encode()),
    ("ce_id", b"e1"),
    ("ce_time", b"2024-05-01T10:20:30Z"),
    ("content-type", b"application/json; charset=utf-8"),
]
VIEW = PageViewed(session_id="s1", url="/")


def changed(**members: Any) -> bytes:
    """EVENT with other members; those set to ... are left out."""
    return json.dumps({name: value for name, value in (EVENT | members).items() if value is not ...}).encode()


def test_structured_in_any_order() -> None:
    event = decode(changed(), None, b"ignored", known)
    assert (event.id, event.source, event.key, event.data) == ("e1", "/web/1", "k", VIEW)
    assert event.time == datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)


def test_what_is_optional() -> None:
    raw = read_envelope(changed(time=..., partitionkey=None, subject=None, datacontenttype=None), (), None)
    assert (raw.time, raw.key, raw.subject, raw.signal) == (None, None, None, "page.viewed")
    assert raw.data == {"url": "/", "session_id": "s1"}
    assert decode(changed(time=...), (), None, known).time is None


def test_the_message_key_counts_when_there_is_no_partitionkey() -> None:
    assert decode(changed(partitionkey=...), (), "ü".encode(), known).key == "ü"


def test_base64_data_that_holds_json() -> None:
    held = b64encode(b'{"session_id":"s1","url":"/"}').decode()
    assert decode(changed(data=..., data_base64=held), (), None, known).data == VIEW


def test_binary_mode() -> None:
    event = decode(b'{"url": "/", "session_id": "s1", "more": 1}', BINARY, b"k", known)
    assert (event.id, event.source, event.key, event.data) == ("e1", "/büro", "k", VIEW)
    extended = [*BINARY, ("ce_partitionkey", b"p"), ("ce_subject", b"x"), ("trace", b"\xff"), ("none", None)]
    extended += [("ce_types", b"\xff"), ("ce_trace", b"\xff"), ("content-types", b"\xff")]
    raw = read_envelope(b"{}", extended, b"k")
    assert read_envelope(b"{}", dict(extended), b"k") == raw
    assert (raw.key, raw.subject) == ("p", "x")


def test_structured_wins_over_stray_headers() -> None:
    headers = [*BINARY[:4], ("content-type", b"application/cloudevents+json; charset=UTF-8")]
    assert decode(changed(), headers, None, known).source == "/web/1"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no value (a tombstone)"),
        (b"", "the value is not JSON: EOF"),
        (b"hello", "the value is not JSON: expected value"),
        (b'{"a": "\xff"}', "the value is not JSON"),
        (b"[" * 5000, "the value is not JSON"),
        (changed(data=1).replace(b"1,", b"9" * 5000 + b",", 1), "the value is not JSON: number out of range"),
        (changed(source="a").replace(b'"a"', b'"\xe9"'), "the value is not JSON: invalid unicode code point"),
        (b"[1]", "the value is JSON, but not an object"),
        (b"{}", "not a CloudEvent: specversion: Field required"),
        (changed(specversion="0.3"), "specversion: Input should be '1.0'"),
        (changed(specversion=1.0), "specversion: Input should be '1.0'"),
        (changed(id=...), "not a CloudEvent: id: Field required"),
        (changed(id=""), "id: String should have at least 1 character"),
        (changed(id="x" * 251), "id: String should have at most 250 characters"),
        (changed(id="x\0"), "id: must not contain a NUL character"),
        (changed(source=7), "source: Input should be a valid string"),
        (changed(type=None), "type: Input should be a valid string"),
        (changed(time="yesterday"), "time: 'yesterday' is no RFC 3339 time with an offset"),
        (changed(time="2024-05-01T10:20:30"), "is no RFC 3339 time with an offset"),
        (changed(time=1714558830), "time: Input should be a valid string"),
        (changed(partitionkey=""), "partitionkey: String should have at least 1 character"),
        (changed(datacontenttype="text/xml"), "the data is text/xml, not JSON"),
        (changed(data=...), "data: Field required"),
        (changed(data=[1]), "data: Input should be an object"),
        (changed(data={"url": "/"}), "data.session_id: Field required"),
        (changed(data=..., data_base64="!"), "data_base64 is not base64"),
        (changed(data=..., data_base64="/w=="), "data_base64 is not JSON"),
    ],
)
def test_refused_with_the_reason(value: bytes | None, reason: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(value, (), None, known)
    assert reason in caught.value.reason
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize(
    ("headers", "key", "reason"),
    [
        (
            [("content-type", b"application/cloudevents-batch+json")],
            None,
            "is not supported; use application/cloud",
        ),
        ([("content-type", b"application/cloudevents+avro")], None, "is not supported"),
        ([("content-type", b"\xff")], None, "not a CloudEvent: specversion: Field required"),
        ([*BINARY[:5], ("content-type", b"\xff")], None, "a header of the event is not UTF-8"),
        ([*BINARY[:2], ("ce_source", b"\xff")], None, "a header of the event is not UTF-8"),
        ([BINARY[0], ("ce_type", b"\xff")], None, "a header of the event is not UTF-8"),
        ([*BINARY[:5], ("content-type", b"text/plain")], None, "the data is text/plain, not JSON"),
        (BINARY[:2], None, "not a CloudEvent: source: Field required"),
        (BINARY, b"\xff", "the message key is not UTF-8"),
    ],
)
def test_headers_and_keys_refused(headers: list[tuple[str, bytes]], key: bytes | None, reason: str) -> None:
    with pytest.raises(Undecodable, match=reason):
        read_envelope(b'{"url": "/", "session_id": "s1"}', headers, key)
