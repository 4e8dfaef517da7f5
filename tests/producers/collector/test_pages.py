"""`/collect` and `/collect.gif`: what pages announce."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from producers.collector.running import PAGE, running, settings
from support.spooled import spooled

FROM_PAGE = {"Origin": PAGE, "Content-Type": "text/plain;charset=UTF-8"}
ADDRESS = "/collect?site=shop"
VIEW = {"signal": "page.viewed", "data": {"url": "/a"}}


def post(client: httpx.Client, said: Any, address: str = ADDRESS, **headers: str) -> httpx.Response:
    return client.post(address, content=json.dumps(said), headers={**FROM_PAGE, **headers})


def only(folder: Path) -> dict[str, Any]:
    (found,) = spooled(folder).values()
    return found


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/json"])
@pytest.mark.parametrize("said", [VIEW, [VIEW, VIEW], {"events": [VIEW, VIEW]}])
def test_what_a_page_posts_is_stored_when_it_is_answered(kind: str, said: Any, tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        answer = post(client, said, **{"Content-Type": kind})
        assert answer.status_code == 202, answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        stored = spooled(tmp_path)
    results = answer.json()["results"]
    assert [one["id"] for one in results] == list(stored)
    assert len(stored) == (1 if said is VIEW else 2)
    assert {one["source"] for one in stored.values()} == {"door"}


def test_the_servers_own_words_are_not_the_pages_to_say(tmp_path: Path) -> None:
    lies = {"url": "/a", "visitor_site": "other", "visitor_address": "1.2.3.4", "visitor_bot": True}
    agent = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    with running(settings(tmp_path, collect_address="truncate")) as client:
        assert (
            post(client, {"signal": "page.viewed", "data": lies, "time": "1990"}, **agent).status_code == 202
        )
    data = only(tmp_path)["data"]
    assert data == {"url": "/a", "visitor_site": "shop", "visitor_address": "127.0.0.0", "visitor_bot": True}


def test_an_address_is_dropped_unless_it_is_asked_for(tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        assert post(client, VIEW).status_code == 202
    assert only(tmp_path)["data"]["visitor_address"] is None


@pytest.mark.parametrize(
    ("status", "address", "headers"),
    [
        (401, "/collect", {}),
        (401, "/collect?site=other", {}),
        (403, ADDRESS, {"Origin": "https://evil.example"}),
        (403, ADDRESS, {"Origin": "null"}),
        (403, ADDRESS, {"Origin": "", "Referer": "https://evil.example/a"}),
        (415, ADDRESS, {"Content-Type": "text/html"}),
    ],
)
def test_who_may_not_announce_is_told_so(
    status: int, address: str, headers: dict[str, str], tmp_path: Path
) -> None:
    with running(settings(tmp_path)) as client:
        answer = post(client, VIEW, address, **headers)
    assert answer.status_code == status
    assert answer.text.count("\n") == 1
    assert spooled(tmp_path) == {}


@pytest.mark.parametrize(
    "said",
    [
        {"signal": "hidden"},
        {"signal": "order.paid", "data": {"visitor": "a", "order": 1}},
        {"signal": "page.viewed"},
        {"signal": "page.viewed", "data": {"url": 1}},
        {"signal": "page.viewed", "data": []},
        {"signal": "page.viewed", "data": {"url": "/a", "more": 1}},
        {"signal": 1, "data": {"url": "/a"}},
        {**VIEW, "id": "short"},
        [1],
        [[]],
    ],
)
def test_what_a_page_may_not_announce_is_told_with_its_event(said: Any, tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        answer = post(client, said)
    assert answer.status_code == 422, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.json()["results"][0]["result"] == "invalid"
    assert spooled(tmp_path) == {}


@pytest.mark.parametrize("said", ["{", "7", '"a"', '{"events": 7}'])
def test_what_is_no_posting_is_told_to_the_page_too(said: str, tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        answer = client.post(ADDRESS, content=said, headers=FROM_PAGE)
    assert answer.status_code == 400
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE


def test_a_page_that_posts_again_is_stored_once(tmp_path: Path) -> None:
    again = {**VIEW, "id": "0192f3a4-5b6c-7d8e-9f00-112233445566"}
    with running(settings(tmp_path)) as client:
        answers = [post(client, again) for _ in range(2)]
    assert [one.json()["results"][0]["result"] for one in answers] == ["ok", "duplicate"]
    assert list(spooled(tmp_path)) == [again["id"]]


def test_a_page_may_ask_first(tmp_path: Path) -> None:
    asks = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    with running(settings(tmp_path)) as client:
        answer = client.options(ADDRESS, headers=asks)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
        assert client.options(ADDRESS, headers={**asks, "Origin": "https://evil.example"}).status_code == 403


def test_an_image_announces_too(tmp_path: Path) -> None:
    address = "/collect.gif"
    asked = {"site": "shop", "signal": "page.viewed", "data": '{"url": "/plain"}'}
    with running(settings(tmp_path)) as client:
        answer = client.get(address, params=asked, headers={"Referer": f"{PAGE}/plain"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
        assert answer.content.startswith(b"GIF89a")
        assert client.get(address, params=asked).status_code == 403
        wrong = {**asked, "data": "{"}
        assert client.get(address, params=wrong, headers={"Referer": PAGE}).status_code == 400
    assert only(tmp_path)["data"]["url"] == "/plain"


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
        ("no:address", "no:address", "_hidden"),
    ],
)
def test_one_address_does_not_take_the_room_of_all(addresses: tuple[str, ...], tmp_path: Path) -> None:
    """One subscriber has many addresses of IPv6."""
    with running(settings(tmp_path, collect_address_rate=0.001, collect_proxies=["127.0.0.1"])) as client:
        first, again, theirs = ({"X-Forwarded-For": one} for one in addresses)
        assert post(client, VIEW, **first).status_code == 202
        late = post(client, VIEW, **again)
        assert late.status_code == 429
        assert int(late.headers["Retry-After"]) > 900
        assert late.headers["Access-Control-Expose-Headers"] == "Retry-After"
        assert post(client, VIEW, **theirs).status_code == 202
