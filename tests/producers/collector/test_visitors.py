"""Whose an event is: sessions, consent, and what is known without it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from oyez.producers.collector.asked import place_of
from oyez.producers.collector.visitors import DAY, Visitors, truncated
from producers.collector.running import PAGE, running, settings
from support.spooled import spooled

VIEW = {"signal": "page.viewed", "data": {"url": "/a"}}
SESSION = "s" * 32


def post(
    client: httpx.Client, headers: Mapping[str, str] = MappingProxyType({}), **said: Any
) -> httpx.Response:
    answer = client.post("/collect?site=shop", json={**VIEW, **said}, headers={"Origin": PAGE, **headers})
    assert answer.status_code == 202, answer.text
    return answer


def keys(folder: Path) -> list[str | None]:
    return [one.get("partitionkey") for one in spooled(folder).values()]


def test_a_visitor_who_consents_has_a_session_for_half_an_hour(tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        first, second = post(client, consent=True), post(client, consent=True)
    found = keys(tmp_path)
    assert found[0] is not None
    assert found == [found[0]] * 2
    for answer in (first, second):
        assert f"oyez_session={found[0]}; Max-Age=1800; Path=/; HttpOnly" in answer.headers["Set-Cookie"]


def test_without_consent_there_is_neither_cookie_nor_key(tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        answers = [post(client), post(client, consent=False, session=SESSION), post(client, session=SESSION)]
    assert keys(tmp_path) == [None] * 3
    assert not any("Set-Cookie" in one.headers for one in answers)


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_who_opts_out_has_not_consented(header: str, tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_consent="assumed")) as client:
        out = {header: "1", "Cookie": f"oyez_session={SESSION}"}
        assert "oyez_session=; Max-Age=0" in post(client, out, consent=True).headers["Set-Cookie"]
        post(client, {header: "0"})
    assert [key is None for key in keys(tmp_path)] == [True, False]


def test_to_opt_out_counts_unless_it_is_set_otherwise(tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_opt_out="ignore")) as client:
        post(client, {"DNT": "1"}, consent=True, session=SESSION)
    assert keys(tmp_path) == [SESSION]


@pytest.mark.parametrize("session", ["short", "x" * 65, "a b" * 10, 7, "\0" * 20])
def test_a_session_that_cannot_be_one_is_begun_anew(session: object, tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        post(client, consent=True, session=session)
    (key,) = keys(tmp_path)
    assert key not in (None, session)


def request(host: str = "10.1.2.3", agent: str = "a") -> Request:
    headers = [(b"user-agent", agent.encode())]
    return Request({"type": "http", "headers": headers, "client": (host, 1), "scheme": "http", "path": "/"})


def test_an_anonymous_id_is_of_one_day_and_of_one_server(tmp_path: Path) -> None:
    now = [0.0]
    said = settings(tmp_path, collect_anonymous="daily", collect_address="keep")
    visitors, others = (Visitors(said, lambda: now[0]) for _ in range(2))

    def key(of: Visitors = visitors, site: str = "shop", **asked: str) -> str | None:
        visitor = of.of(request(**asked), site, None, None)
        assert visitor.cookie is None
        assert visitor.stamps["visitor_address"] == "10.1.2.0"  # not the whole: it would tell who it is
        return visitor.key

    first = key()
    assert first is not None
    assert first.startswith("anonymous-")
    now[0] = DAY - 1
    assert key() == first
    assert len({first, key(site="b"), key(host="10.1.2.4"), key(agent="b"), key(others)}) == 5
    now[0] = DAY
    assert key() != first


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.77", "192.0.2.0"), ("2001:db8:1:2::9", "2001:db8:1::"), ("unix", None)],
)
def test_a_truncated_address_is_that_of_a_network(address: str, network: str | None) -> None:
    assert truncated(address) == network


@pytest.mark.parametrize(
    ("said", "place", "kept", "network"),
    [
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("0:0:0:0:0:FFFF:cb00:7109", "203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64", "2001:db8:1:2::9", "2001:db8:1::"),
        ("203.0.113.9", "203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("a:b", "a:b", "a:b", None),
    ],
)
def test_an_address_of_ipv4_is_one_however_it_is_written(
    said: str, place: str, kept: str, network: str | None, tmp_path: Path
) -> None:
    asked = request(host=said)
    assert place_of(asked) == place
    visitors = Visitors(settings(tmp_path, collect_address="keep"))
    assert visitors.of(asked, "shop", None, True).stamps["visitor_address"] == kept
    assert visitors.of(asked, "shop", None, False).stamps["visitor_address"] == network


@pytest.mark.parametrize(
    ("agent", "is_bot"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", False),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", True),
        ("Mozilla/5.0 HeadlessChrome/140.0", True),
        ("curl/8.5.0", True),
        ("", True),
    ],
)
def test_bots_are_marked(agent: str, is_bot: bool, tmp_path: Path) -> None:
    visitor = Visitors(settings(tmp_path)).of(request(agent=agent), "shop", None, None)
    assert visitor.stamps["visitor_bot"] is is_bot
