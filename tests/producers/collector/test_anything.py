"""Whatever is sent, the answer is one that docs/collecting.md names, and never that the server has failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from producers.collector.running import KEY, PAGE, event, running, settings

STATUSES = {200, 202, 204, 400, 401, 403, 404, 405, 413, 415, 422}
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["\ud800", "\0", "e" * 251, "", "page.viewed", "order.paid", "/erp"]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(2**63) - 1, 1e308])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def changed(whole: dict[str, Any]) -> st.SearchStrategy[Any]:
    """One that is nearly as it should be."""
    names = st.sampled_from(
        [*whole, "time", "partitionkey", "traceparent", "data_base64", "datacontenttype", "id"]
    )
    changes = st.dictionaries(names, JSON, max_size=2)
    inner = st.dictionaries(st.sampled_from(["url", "visitor", "order", "visitor_bot"]), JSON, max_size=2)
    return st.builds(
        lambda change, data: {**whole, "data": {**whole["data"], **data}, **change}, changes, inner
    )


POSTING = changed({"signal": "page.viewed", "data": {"url": "/a"}, "session": "s" * 16, "consent": True})
SAID = JSON | changed(event()) | POSTING
BODIES = (
    st.binary(max_size=60)
    | (
        SAID
        | st.lists(SAID, max_size=4)
        | st.builds(lambda said: {"events": said}, JSON | st.lists(SAID, max_size=3))
    ).map(lambda said: json.dumps(said).encode())
    | st.sampled_from(
        [b"[" * 9_000, b'{"a":' * 9_000, b"[1," * 5, b"1" * 9_000, b'"\\ud800"', b"\xef\xbb\xbf{}"]
    )
)
KINDS = st.sampled_from(
    [
        "application/cloudevents+json",
        "application/cloudevents-batch+json; charset=utf-16",
        "application/cloudevents+xml",
        "application/json",
        "text/plain;charset=UTF-8",
        "",
    ]
)
NAMES = st.sampled_from(
    [
        "origin",
        "referer",
        "cookie",
        "authorization",
        "dnt",
        "user-agent",
        "content-encoding",
        "x-forwarded-for",
        "ce-id",
        "ce-type",
        "ce-source",
        "ce-time",
        "ce-specversion",
        "ce-data",
        "webhook-request-origin",
    ]
)
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20
).map(lambda text: text.strip().encode("latin-1"))
HEADERS = st.dictionaries(
    NAMES,
    VALUES | st.sampled_from([b"1.0", b"order.paid", b"/erp", b"%ff%00", b"http://[", b"e1"]),
    max_size=4,
)
PLACES = st.sampled_from(
    [
        ("POST", "/events"),
        ("POST", "/collect?site=shop"),
        ("OPTIONS", "/events"),
        ("OPTIONS", "/collect?site=shop"),
    ]
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("anything")
    said = settings(
        folder, collect_proxies=["127.0.0.1"], collect_address="truncate", collect_anonymous="daily"
    )
    with running(said) as client:
        yield client


def judged(answer: httpx.Response) -> None:
    assert answer.status_code in STATUSES, answer.text
    if answer.headers.get("content-type") == "application/json":
        results = answer.json()["results"]
        kinds = {one["result"] for one in results}
        assert answer.status_code == (422 if "invalid" in kinds else 202)
        assert all("\n" not in one.get("detail", "") for one in results)
    elif answer.status_code >= 400:
        assert answer.text.count("\n") <= 1


@bounds(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=PLACES, body=BODIES, kind=KINDS, headers=HEADERS)
def test_whatever_is_posted_is_answered(
    place: tuple[str, str], body: bytes, kind: str, headers: dict[str, bytes], client: httpx.Client
) -> None:
    known = {
        "authorization": KEY["Authorization"].encode(),
        "origin": PAGE.encode(),
        "content-type": kind.encode(),
    }
    judged(client.request(*place, content=body, headers=list({**known, **headers}.items())))


@bounds(max_examples=50, deadline=None)
@given(said=JSON, raw=st.binary(max_size=20), more=HEADERS)
def test_whatever_an_image_asks_for_is_answered(
    said: Any, raw: bytes, more: dict[str, bytes], client: httpx.Client
) -> None:
    headers = list({"referer": PAGE.encode(), **more}.items())
    for data in (quote(json.dumps(said)), quote(raw)):
        judged(client.get(f"/collect.gif?site=shop&signal=page.viewed&data={data}", headers=headers))
