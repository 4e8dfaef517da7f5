"""The key that a request says."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.producers.web import KeyOf, WSGISessionMiddleware, cookie, header
from oyez.producers.web.keys import Request, key_in
from oyez.schemas.text import MAX_TEXT, flaw


def asked(**headers: str) -> list[Request]:
    """The same request, as ASGI and as WSGI give it."""
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return [{"type": "http", "headers": raw}, {"wsgi.version": (1, 0), **environ}]


def keys(key: KeyOf, **headers: str) -> str | None:
    first, second = (key_in(request, key) for request in asked(**headers))
    assert first == second
    return first


def test_the_key_is_in_a_cookie() -> None:
    assert keys(cookie("sid"), cookie="a=1; sid=s1; b=2") == "s1"
    assert keys(cookie("sid"), cookie="a=1;sid=s1;sid=s2") == "s1"
    assert keys(cookie("sid"), cookie="xsid=s1; sid2=s2; SID=s3") is None
    assert keys(cookie("sid"), cookie="sid=a=b") == "a=b"
    assert keys(cookie("sid"), cookie="sid; ;=") is None
    assert keys(cookie("sid")) is None


def test_cookies_may_come_in_several_headers() -> None:
    scope = {"headers": [(b"cookie", b"a=1"), (b"host", b"x"), (b"cookie", b"sid=s1")]}
    assert key_in(scope, cookie("sid")) == "s1"


def test_the_key_is_in_a_header() -> None:
    assert keys(header("X-Session"), x_session="s1") == "s1"
    assert keys(header("x-session"), x_session="s1") == "s1"
    assert keys(header("X-Session")) is None
    scope = {"headers": [(b"x-session", b"a"), (b"x-session", b"b")]}
    assert key_in(scope, header("X-Session")) == "a,b"


@given(st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), min_size=1, max_size=300))
def test_what_python_writes_into_a_cookie_is_read_from_it(value: str) -> None:
    written = SimpleCookie({"sid": value})["sid"].coded_value
    found = keys(cookie("sid"), cookie=f"a=1; sid={written}; b=2")
    assert found == (None if flaw(value.strip() if written == value else value) else found)
    if found is not None:
        assert found == (value if written != value else value.strip())


@given(st.text(st.characters(max_codepoint=255), max_size=400))
def test_whatever_is_sent_breaks_nothing(value: str) -> None:
    for found in (keys(cookie("sid"), cookie=value), keys(header("X-Session"), x_session=value)):
        assert found is None or flaw(found) is None


def test_a_key_that_is_none_is_no_key() -> None:
    for bad in ("", "x" * (MAX_TEXT + 1), "a\0b"):
        assert keys(header("X-Session"), x_session=bad) is None
    assert key_in({}, lambda _: "\ud800") is None


def test_a_function_may_give_whatever_a_key_may_be_made_of() -> None:
    made = UUID(int=7)
    assert key_in({"user": made}, lambda request: request["user"]) == str(made)
    assert key_in({"user": 7}, lambda request: request["user"]) == "7"


async def later(_request: Request) -> str:
    return "s1"


@pytest.mark.parametrize(("key", "said"), [("sid", "not 'sid'"), (later, "no async function")])
def test_what_gives_no_key_is_refused_at_once(key: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        WSGISessionMiddleware(lambda *_: [], key=key)
