"""A request counts as its events, and as one at least: what brings none takes the collector's time too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from producers.collector.running import KEY, PAGE, event, running, settings

VIEW = {"signal": "page.viewed", "data": {"url": "/a"}}
BATCH = "application/cloudevents-batch+json"
Ask = Callable[[httpx.Client], httpx.Response]


def page(said: Any, kind: str = "text/plain") -> Ask:
    """A page posts JSON, or bytes that are none."""
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    headers = {"Origin": PAGE, "Content-Type": kind}
    return lambda client: client.post("/collect?site=shop", content=content, headers=headers)


def pixel(**said: str) -> Ask:
    query = {"site": "shop", "signal": "page.viewed", **said}
    return lambda client: client.get("/collect.gif", params=query, headers={"Origin": PAGE})


def sender(said: Any, kind: str = BATCH) -> Ask:
    """Another system posts JSON, or bytes that are none."""
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return lambda client: client.post("/events", content=content, headers={**KEY, "Content-Type": kind})


NOTHING: dict[str, tuple[Ask, int]] = {
    "a page without events": (page({"events": []}), 202),
    "a page with what is no JSON": (page(b"{"), 400),
    "a page with another type": (page(VIEW, "text/html"), 415),
    "a page with too much": (page(b" " * 300_000), 413),
    "a pixel with what is no JSON": (pixel(data="{"), 400),
    "a sender without events": (sender([]), 202),
    "a sender with what is no JSON": (sender(b"{"), 400),
    "a sender with another type": (sender([], "text/html"), 415),
    "a sender with too much": (sender(b" " * 300_000), 413),
}


RATES = [
    *(("collect_address_rate", name) for name in NOTHING if "sender" not in name),
    *(("collect_site_rate", name) for name in NOTHING),
]


@pytest.mark.parametrize(("rate", "name"), RATES)
def test_what_brings_no_event_counts_as_one(rate: str, name: str, tmp_path: Path) -> None:
    ask, status = NOTHING[name]
    with running(settings(tmp_path, **{rate: 0.001})) as client:  # one in a burst
        assert ask(client).status_code == status
        late = ask(client)
    assert late.status_code == 429
    assert 900 < int(late.headers["Retry-After"]) <= 1000


MANY: dict[str, Ask] = {
    "a page": page({"events": [VIEW, VIEW]}),
    "a sender": sender([event(1), event(2)]),
}


@pytest.mark.parametrize("ask", MANY.values(), ids=MANY)
def test_a_request_counts_as_its_events_and_no_more(ask: Ask, tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_site_rate=0.001)) as client:
        assert ask(client).status_code == 202
        waits = [int(ask(client).headers["Retry-After"]) for _ in range(3)]
    assert min(waits) > 1900
    assert max(waits) <= 2000
