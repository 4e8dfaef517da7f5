"""Events of other producers: the type is looked at first, and the headers decide before the bytes do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Known, Pipeline, Placed, Play, Ticked, known, note
from oyez.consumers import Handlers
from oyez.schemas import Event
from oyez.schemas.encoding import CANONICAL, CONTENT_TYPE, Encoder

TOPIC = "pipeline"
BINARY = [("ce_specversion", b"1.0"), ("ce_source", b"/java"), ("ce_id", b"e1")]
JSON = ("content-type", b"application/json")
EVENT: dict[str, Any] = {"specversion": "1.0", "type": "placed", "source": "/other", "id": "e1"}


class Forwarded(Known, name="forwarded"):
    """Its data may be a whole event."""

    n: int = 7


class Weighed(Known, name="weighed"):
    grams: int


def binary(signal: str, *more: tuple[str, bytes]) -> list[tuple[str, bytes]]:
    return [*BINARY, ("ce_type", signal.encode()), *more]


def structured(**members: Any) -> bytes:
    return json.dumps(EVENT | members).encode()


def shop(promise: Any = "exactly-once") -> Handlers:
    on = Handlers("shop", promises={"all": promise})

    @on(Placed, group="all", order="none")
    def place(event: Event[Placed], db: Session) -> None:
        note(db, f"place {event.key}", event.data.n)

    @on(Ticked, group="all", order="none")
    def tick(event: Ticked, db: Session) -> None:
        note(db, "tick", event.n)

    return on


PROMISES = ["exactly-once", "at-least-once"]


@pytest.fixture(params=PROMISES)
def pipeline(play: Play, request: pytest.FixtureRequest) -> Pipeline:
    return play(shop(request.param))


OTHERS: dict[str, tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = {
    "text": (None, b"hello", binary("image.made", ("content-type", b"text/plain"))),
    "an image": (None, b"\x89PNG\r\n\x1a\n", binary("image.made", ("content-type", b"image/png"))),
    "no data": (None, None, binary("image.made")),
    "empty data": (None, b"", binary("image.made", JSON)),
    "a key that is no UTF-8": (b"\xff\xfe", b"{}", binary("image.made", JSON)),
    "another version": (None, b"{}", [("ce_specversion", b"0.3"), ("ce_type", b"image.made")]),
    "an id that is too long": (None, b"{}", binary("image.made", ("ce_id", b"x" * 300))),
    "a header that is no UTF-8": (None, b"{}", binary("image.made", ("ce_subject", b"\xff"))),
    "an attribute of its own that is no UTF-8": (None, b"{}", binary("image.made", ("ce_typename", b"\xff"))),
    "a content type that is no UTF-8": (None, b"{}", binary("image.made", ("content-type", b"\xff"))),
    "no data, and such a content type": (None, None, binary("image.made", ("content-type", b"\xff"))),
    "structured, such a content type": (None, structured(type="t", data={}), [("content-type", b"\xff")]),
    "structured, text": (None, structured(type="t", data="hello", datacontenttype="text/plain"), []),
    "structured, base64": (None, structured(type="t", data_base64="/w==", datacontenttype="image/png"), []),
    "structured, no data": (b"\xff", structured(type="t"), []),
    "structured, no id": (None, structured(type="t", id=None), []),
    "structured, a time that is none": (None, structured(type="t", time="now", data={}), []),
    "a lone surrogate": (None, structured(type="t", data={"a": "\ud800"}), []),
    "nested deeply": (None, structured(type="t", data=[]).replace(b"[]", b"[" * 300 + b"]" * 300), []),
    "nested very deeply": (
        None,
        structured(type="t", data=[], more="]").replace(b"[]", b"[" * 3000 + b"]" * 3000),
        [],
    ),
    "a long number": (None, structured(type="t", data=1).replace(b" 1}", b"9" * 5000 + b"}"), []),
    "Latin-1": (None, structured(type="t", data="e").replace(b'"e"', b'"\xe9"'), []),
    "UTF-16": (None, structured(type="t", data="e").decode().encode("utf-16"), []),
    "a line end in a text": (None, structured(type="t", data="e").replace(b'"e"', b'"\n"'), []),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_of_another_type_is_left_alone(kind: str, pipeline: Pipeline) -> None:
    key, value, headers = OTHERS[kind]
    pipeline.broker.append(TOPIC, key, value, headers)
    pipeline.handle(Placed(n=1))
    assert pipeline.dead() == []
    assert pipeline.effects() == [1]


SPELT = {
    "an escape": b'"type":"pl\\u0061ced","source":"/other"',
    "a blank after it": b'"type":"placed" ,"source":"/other"',
    "a blank before it": b'"type": "placed","source":"/other"',
    "another order": b'"type":"placed","id":"e1","source":"/other"',
}


@pytest.mark.parametrize("kind", SPELT)
def test_a_canonical_beginning_is_no_canonical_event(kind: str, pipeline: Pipeline) -> None:
    value = b'{"specversion":"1.0",' + SPELT[kind] + b',"id":"e1","data":{"n":5}}'
    assert value.startswith(CANONICAL) or kind == "a blank before it"
    pipeline.broker.append(TOPIC, b"k9", value)
    pipeline.broker.append(TOPIC, b"k9", value.replace(b"placed", b"plunged").replace(b"pl\\", b"un\\"))
    pipeline.handle(Placed(n=1))
    assert sorted(pipeline.effects()) == [1, 5]
    assert pipeline.dead() == []


def whole(n: int) -> bytes:
    """An event of ours, as bytes."""
    return Encoder("web", known).encode(
        Placed(n=n), id=f"inner-{n}", time="2026-01-01T00:00:00Z", key="k1", subject=None
    )


def test_data_that_is_a_whole_event_is_still_data(pipeline: Pipeline) -> None:
    """Of another type it is not ours; of ours it is read as the headers say."""
    pipeline.broker.append(TOPIC, b"k1", whole(3), binary("event.archived", JSON))
    pipeline.broker.append(TOPIC, b"k1", whole(4), binary("ticked", JSON))
    pipeline.broker.append(TOPIC, b"k1", whole(5), [*binary("x"), ("content-type", CONTENT_TYPE)])
    pipeline.handle(Placed(n=1))
    assert sorted(pipeline.effects("tick")) == [0]
    assert sorted(pipeline.effects()) == [0, 1, 5]
    assert pipeline.dead() == []


@pytest.mark.parametrize("promise", PROMISES)
def test_an_event_in_an_event_is_not_skipped_for_its_bytes(promise: Any, play: Play) -> None:
    on = Handlers("shop", promises={"all": promise})

    @on(Forwarded, group="all", order="none")
    def forwarded(event: Forwarded, db: Session) -> None:
        note(db, "forwarded", event.n)

    pipeline = play(on)
    pipeline.broker.append(TOPIC, b"k1", whole(3), binary("forwarded", JSON))
    pipeline.handle(Placed(n=1))
    assert pipeline.effects() == [7]
    assert pipeline.dead() == []


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (None, binary("ticked")),
        (b"", binary("ticked", ("content-type", b"application/octet-stream"))),
        (structured(type="ticked"), []),
        (structured(type="ticked", data=None), []),
        (b'{"specversion":"1.0","type":"ticked","source":"/other","id":"e1"}', []),
    ],
)
def test_a_signal_that_needs_no_data_has_none(
    value: bytes | None, headers: list[tuple[str, bytes]], pipeline: Pipeline
) -> None:
    pipeline.broker.append(TOPIC, None, value, headers)
    pipeline.run()
    assert pipeline.effects("tick") == [0]
    assert pipeline.dead() == []


def test_no_data_where_it_is_needed_is_a_dead_letter(play: Play) -> None:
    on = Handlers("shop")

    @on(Weighed)
    def weigh(event: Weighed, db: Session) -> None:
        note(db, "weigh", event.grams)

    pipeline = play(on)
    pipeline.broker.append(TOPIC, None, None, binary("weighed"))
    pipeline.run()
    assert pipeline.rows("dead", "error") == ["data: Field required"]


def test_an_event_without_data_waits_and_is_run_again(play: Play) -> None:
    on = Handlers("shop")
    attempts: list[str | None] = []

    @on(Placed)
    def place(event: Event[Placed], db: Session) -> None:
        attempts.append(event.key)
        if len(attempts) == 1:
            raise RuntimeError("not yet")
        note(db, "place", event.data.n)

    pipeline = play(on)
    pipeline.broker.append(TOPIC, b"\xff\xfe", None, binary("placed"))
    pipeline.run()
    pipeline.later()
    assert attempts == ["k1", "k1"]
    assert pipeline.effects("place") == [0]


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize(("tombstones", "dead"), [("dead", 2), ("ignore", 0)])
def test_tombstones(promise: Any, tombstones: str, dead: int, play: Play) -> None:
    pipeline = play(shop(promise), tombstones=tombstones)
    pipeline.broker.append(TOPIC, b"k1", None)
    pipeline.announce(Placed(n=1))
    pipeline.broker.append(TOPIC, b"\xff", None, [])
    pipeline.broker.append(TOPIC, None, None, binary("ticked"))
    pipeline.broker.append(TOPIC, None, None, binary("image.made", ("content-type", b"\xff")))
    pipeline.run()
    assert pipeline.effects() == [1, 0]
    assert pipeline.rows("dead", "error") == ["no value (a tombstone)"] * dead
