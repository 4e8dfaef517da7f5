"""What browsers are told, and which requests are refused whoever sends them."""

from __future__ import annotations

import re

import pytest

from consumers.dashboard.visiting import HOST, Visitor, app_at, problem
from consumers.pipeline import Placed, known
from oyez.consumers import Application, Handlers
from oyez.consumers.dashboard import Access

on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None:
    pass


SHOP = Application(on, known)

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/none", 404), ("/%00", 404)])
def test_each_answer_has_the_headers(pipeline_sqlite: str, path: str, status: int) -> None:
    response = Visitor(app_at(pipeline_sqlite, SHOP, Access.read())).get(path)
    assert response.status_code == status
    assert HEADERS.items() <= dict(response.headers).items()
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_nothing_stands_inline(pipeline_sqlite: str) -> None:
    shown = Visitor(app_at(pipeline_sqlite, SHOP, Access.act())).page("/")
    assert not re.search(r"<style|\bstyle=|\bon\w+=|javascript:", shown)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", shown))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (HOST, 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:8090", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("localhost:evil.example", 421),
    ],
)
def test_it_answers_to_its_own_names_only(pipeline_sqlite: str, host: str, status: int) -> None:
    client = Visitor(app_at(pipeline_sqlite, SHOP, Access.read(), hosts={"localhost", "127.0.0.1", "::1"}))
    response = client.get("/", headers={"Host": host})
    assert response.status_code == status
    if status == 421:
        problem(response, 421, "OYEZ_DASHBOARD_HOSTS")


def test_style_and_script_are_kept(pipeline_sqlite: str) -> None:
    client = Visitor(app_at(pipeline_sqlite, SHOP, Access.none()))
    (style,) = re.findall(r'href="(/static/\w+/dashboard.css)"', client.get("/").text)
    response = client.get(style)
    assert response.headers["content-type"].startswith("text/css")
    assert "immutable" in response.headers["cache-control"]
    problem(client.get("/static/x/none.css"), 404)
    problem(client.get("/static/x/..%2Fapp.py"), 404)
