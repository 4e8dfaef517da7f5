"""An event that is announced again is the same event, counted."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.schemas import Catalogue, Signal, decode
from oyez.schemas.encoding import Encoder, prefix
from oyez.schemas.replaying import stored_event
from schemas.test_foreign import BINARY, changed

known = Catalogue()
HEADERS = [("content-type", b"application/cloudevents+json")]


class Said(Signal, name="said", catalogue=known):
    text: str
    number: float = 0.0
    more: dict[str, Any]


texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
values = st.recursive(
    st.none() | st.integers() | texts, lambda one: st.lists(one) | st.dictionaries(texts, one), max_leaves=5
)


@settings(max_examples=50)
@given(
    text=texts,
    number=st.floats(allow_nan=False, allow_infinity=False),
    more=st.dictionaries(texts, values),
    event_id=names,
    key=st.none() | names,
    source=names,
    new=st.none() | names,
)
def test_what_was_announced_is_announced_again_as_it_was(
    text: str,
    number: float,
    more: dict[str, Any],
    event_id: str,
    key: str | None,
    source: str,
    new: str | None,
) -> None:
    event = Said(text=f',"data":{text}', number=number, more=more)
    time = "2026-01-01T00:00:00.000001Z"
    value = Encoder(source, known).encode(
        event, id=event_id, time=time, key=key, subject=None, trace=',"traceparent":"00-1"'
    )
    before = decode(value, HEADERS, None, known)
    for count in range(1, 3):
        value = stored_event(value, HEADERS).again(new)
        after = decode(value, HEADERS, None, known)
        assert value.startswith(prefix("said"))
        assert (after.id, after.source, after.key, after.time) == (new or event_id, source, key, before.time)
        assert (after.data, after.traceparent) == (before.data, "00-1")
        stored = stored_event(value, HEADERS)
        assert (stored.replays, stored.origin) == (count, event_id)


def test_the_bytes_of_the_data_stay() -> None:
    value = b'{"specversion":"1.0","type":"a","source":"s","id":"1","data":{"n": 1.000e2, "x":"\\u00e9"}}'
    assert stored_event(value).again().endswith(b',"oyezreplays":1,"data":{"n": 1.000e2, "x":"\\u00e9"}}')


def test_what_other_producers_announced() -> None:
    again = json.loads(stored_event(changed(foo="bar", oyezreplays="2"), HEADERS).again("new"))
    assert again == {
        **json.loads(changed()),
        "foo": "bar",
        "id": "new",
        "oyezreplays": 3,
        "oyezreplayof": "e1",
    }
    assert list(again)[:4] == ["specversion", "type", "source", "id"]
    body = json.loads(stored_event(b'{"url":"/"}', [*BINARY, ("ce_foo", b"bar")], b"key").again())
    assert (body["data"], body["partitionkey"], body["foo"], body["source"]) == (
        {"url": "/"},
        "key",
        "bar",
        "/büro",
    )
    assert "data" not in json.loads(stored_event(None, BINARY).again())


def test_a_count_that_is_none_counts_as_none() -> None:
    for count in (-1, "many", True, None, 1.5, "9" * 20, [1]):
        assert stored_event(changed(oyezreplays=count)).replays == 0


def test_the_message_key_counts_for_an_event_without_one() -> None:
    value = b'{"specversion":"1.0","type":"t","source":"w","id":"1","data":{}}'
    assert stored_event(value, HEADERS, b"anna").key == "anna"
    assert b'"partitionkey":"anna"' in stored_event(value, HEADERS, b"anna").again()
    assert stored_event(value, HEADERS).key is None
