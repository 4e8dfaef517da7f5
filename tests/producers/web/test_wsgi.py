"""The key of each WSGI request, bound while the application works on it, and at no other time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.producers import visitor_session
from oyez.producers.session import bound_session
from oyez.producers.web import WSGISessionMiddleware, header


class Body:
    """A body that notes what is bound in each of its steps."""

    def __init__(self, seen: list[str | None], parts: int = 3) -> None:
        self._seen = seen
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self._parts):
            self._seen.append(bound_session())
            yield b"."

    def close(self) -> None:
        self._seen.append(bound_session())


def noting(seen: list[str | None]) -> WSGIApplication:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(bound_session())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Body(seen)

    return app


def environ(session: str | None, **more: Any) -> WSGIEnvironment:
    return {**({} if session is None else {"HTTP_X_SESSION": session}), **more}


def wrapped(app: WSGIApplication) -> WSGIApplication:
    return WSGISessionMiddleware(app, key=header("X-Session"))


def nothing(*_: Any) -> Any:
    """Stands in for a server's start_response."""


def close(body: Any) -> None:
    body.close()


def test_the_key_is_bound_in_the_call_in_the_body_and_when_it_is_closed() -> None:
    seen: list[str | None] = []
    body = wrapped(noting(seen))(environ("s1"), nothing)
    assert bound_session() is None
    for _ in body:
        assert bound_session() is None
    close(body)
    assert seen == ["s1"] * 5
    assert bound_session() is None


def test_a_request_without_a_key_has_none_of_what_is_bound_around_it() -> None:
    seen: list[str | None] = []
    with visitor_session("somebody else"):
        body = wrapped(noting(seen))(environ(None), nothing)
        list(body)
        close(body)
        assert bound_session() == "somebody else"
    assert seen == [None] * 5


def test_wrapped_twice_it_is_as_wrapped_once() -> None:
    seen: list[str | None] = []
    body = wrapped(wrapped(noting(seen)))(environ("s1"), nothing)
    list(body)
    close(body)
    assert seen == ["s1"] * 5
    assert bound_session() is None


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40))
def test_bodies_may_be_taken_in_turn_by_any_thread(turns: list[tuple[int, bool]]) -> None:
    """As a server does that has one thread for all, or several for each."""
    seen: list[list[str | None]] = [[], [], []]
    bodies = [wrapped(noting(seen[n]))(environ(f"s{n}"), nothing) for n in range(3)]
    parts = [iter(body) for body in bodies]
    with ThreadPoolExecutor(1) as other:
        for n, here in turns:
            (next(parts[n], None) if here else other.submit(next, parts[n], None).result())
            assert bound_session() is None
            assert other.submit(bound_session).result() is None
        for body in bodies:
            other.submit(close, body).result()
    assert [set(one) for one in seen] == [{"s0"}, {"s1"}, {"s2"}]


def test_a_body_that_binds_another_key_has_that_until_it_unbinds_it() -> None:
    seen: list[str | None] = []

    def app(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        with visitor_session("inner"):
            seen.append(bound_session())
            yield b"."
            seen.append(bound_session())
            yield b"."
        seen.append(bound_session())

    for _ in wrapped(app)(environ("s1"), nothing):
        assert bound_session() is None
    assert seen == ["inner", "inner", "s1"]


def test_what_fails_leaves_nothing_bound() -> None:
    def app(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        yield b"."
        raise LookupError("half-way")

    body = wrapped(app)(environ("s1"), nothing)
    with pytest.raises(LookupError):
        list(body)
    assert bound_session() is None
    with pytest.raises(TypeError):
        wrapped(list)(environ("s1"), nothing)  # type: ignore[arg-type]
    assert bound_session() is None


def test_what_runs_no_code_is_given_to_the_server_as_it_is() -> None:
    """Servers tell a length, or send a file, by its type."""
    for made in ([b"a"], (b"a", b"b"), FileWrapper(io.BytesIO(b"a"))):
        app = wrapped(lambda _environ, _start, made=made: made)
        assert app(environ("s1", **{"wsgi.file_wrapper": FileWrapper}), nothing) is made


def test_it_is_wsgi_as_it_should_be() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (part for part in [b"a", b"b"])

    from wsgiref.util import setup_testing_defaults

    request: dict[str, Any] = {"QUERY_STRING": ""}
    setup_testing_defaults(request)
    body = validator(wrapped(validator(app)))(request, lambda *_: lambda _data: None)
    assert b"".join(body) == b"ab"
    close(body)
