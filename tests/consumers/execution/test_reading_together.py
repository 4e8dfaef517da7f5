"""A batch that is decoded at once is what its records are one by one, whatever is among them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from oyez.consumers import Application, Handlers
from oyez.consumers.execution.reader import Reader
from oyez.schemas import Catalogue, Event, Signal, Undecodable
from oyez.schemas.encoding import CONTENT_TYPE, prefix

known = Catalogue()


class Placed(Signal, name="placed", key="k", subject="s", catalogue=known):
    k: str = "k1"
    s: str = "s1"
    n: int = 0
    data: dict[str, Any] | None = None


class Ticked(Signal, name="ticked", catalogue=known):
    text: str = ""


@dataclass(frozen=True)
class Raw:
    """A record of a log; ``at`` tells it from others."""

    at: int
    given: bytes | None
    about: bytes | None = None
    attributes: tuple[tuple[str, bytes], ...] = ()

    def value(self) -> bytes | None:
        return self.given

    def key(self) -> bytes | None:
        return self.about

    def headers(self) -> list[tuple[str, bytes]]:
        return list(self.attributes)

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at


def whole(data: str, signal: str = "placed", **members: Any) -> bytes:
    """An event as Oyez writes it, but for these members."""
    rest = {"source": "web", "id": "1", "time": "2026-01-01T00:00:00Z", "partitionkey": "k"} | members
    written = json.dumps({name: member for name, member in rest.items() if member is not None})[1:-1]
    return prefix(signal) + f'{written},"data":{data}}}'.encode()


texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "a\0b", "ü", '"', "\\u0000", "x" * 251, "x" * 500])
)
datas = st.one_of(
    st.sampled_from(
        ["{}", '{"n":1}', '{"n":"x"}', "{", "}", "[]", "null", '{"n":1}},{"x":{}', '{"n":1},"data":{}']
    ),
    st.builds(lambda text: json.dumps({"s": text, "text": text, "data": {text: text}}), texts),
)
members = st.fixed_dictionaries(
    {},
    optional={
        "source": texts,
        "id": texts,
        "time": st.sampled_from([None, 5, "yesterday", "2026-01-01T00:00:00+02:00"]),
        "partitionkey": st.one_of(st.none(), texts),
        "subject": texts,
        "type": st.just("another"),
    },
)
values = st.one_of(
    st.builds(
        lambda data, signal, given: whole(data, signal, **given),
        datas,
        st.sampled_from(["placed", "placed", "ticked", "another"]),
        members,
    ),
    st.sampled_from(
        [None, b"", b"{}", b"\xff\x00", b"1,2", b"[]", prefix("placed"), b",".join([whole("{}")] * 2)]
    ),
)
headers = st.sampled_from(
    [
        (),
        (("content-type", CONTENT_TYPE),),
        (("ce_specversion", b"1.0"), ("ce_type", b"placed"), ("ce_source", b"web"), ("ce_id", b"b")),
        (("content-type", b"application/cloudevents-batch+json"),),
    ]
)
raws = st.builds(Raw, st.integers(), values, st.sampled_from([None, b"k2", b"\xff"]), headers)


@cache
def reader(tombstones: Any, *, with_events: bool) -> Reader:
    """The reader of a group of one signal, or of two of which one is wanted with its envelope."""
    on = Handlers("shop")
    on(Placed, name="place", group="all")(_placed)
    if with_events:
        on(Ticked, name="tick", group="all")(_ticked)
    return Reader(Application(on, known).groups["shop.all"], tombstones)


def _placed(event: Placed) -> None: ...


def _ticked(event: Event[Ticked]) -> None: ...


@given(st.lists(raws, max_size=6), st.sampled_from(["dead", "ignore"]), st.booleans())
@example([Raw(0, whole("{}")), Raw(1, whole("{}", partitionkey=None), b"k2")], "dead", False)
@example(
    [Raw(0, whole("{}")), Raw(1, whole("{}", signal="ticked")), Raw(2, whole("[", signal="ticked"))],
    "dead",
    True,
)
@example([Raw(0, whole("{}", id="a\0b"))], "dead", False)
@example([Raw(0, whole(json.dumps({"s": "x" * 400})))], "dead", False)
def test_together_as_one_by_one(records: list[Raw], tombstones: str, with_events: bool) -> None:
    reading = reader(tombstones, with_events=with_events)
    decoded, refused = reading.read_all(records)
    events, reasons = [], []
    for record in records:
        if (
            tombstones == "ignore"
            and record.given is None
            and record.attributes[:1] != (("ce_specversion", b"1.0"),)
        ):
            continue
        try:
            taken = reading.read(record)
        except Undecodable as error:
            reasons.append((record.at, error.reason))
        else:
            events += [] if taken is None else [tuple(taken)]
    assert list(map(tuple, decoded.events)) == events
    assert [(record.offset(), reason) for record, reason in refused] == reasons
    assert decoded.data() == [envelope["data"] for _, envelope, _, _ in events]
    assert list(map(tuple, decoded.every(2))) == events[::2]
