"""The key of each ASGI request and WebSocket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oyez.producers import visitor_session
from oyez.producers.session import bound_session
from oyez.producers.web import SessionMiddleware, header
from oyez.producers.web.asgi import ASGIApp, Receive, Scope, Send


def noting(seen: list[tuple[str, str | None]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["type"], bound_session()))
        await asyncio.create_task(note(scope["type"]))
        await asyncio.to_thread(lambda: seen.append((scope["type"], bound_session())))

    async def note(kind: str) -> None:
        seen.append((kind, bound_session()))

    return app


def wrapped(app: ASGIApp) -> ASGIApp:
    return SessionMiddleware(app, key=header("X-Session"))


async def call(app: ASGIApp, kind: str, session: str | None = None) -> None:
    said = [] if session is None else [(b"x-session", session.encode())]
    scope: dict[str, Any] = {"type": kind, "headers": said} if kind != "lifespan" else {"type": kind}
    await app(scope, never, nowhere)


async def never() -> Any:
    """Stands in for a server's receive."""


async def nowhere(_message: Any) -> None:
    """Stands in for a server's send."""


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_key_is_bound_in_all_that_the_application_does(kind: str) -> None:
    seen: list[tuple[str, str | None]] = []

    async def run() -> None:
        await call(wrapped(noting(seen)), kind, "s1")
        assert bound_session() is None

    asyncio.run(run())
    assert seen == [(kind, "s1")] * 3


def test_a_request_without_a_key_has_none_of_what_is_bound_around_it() -> None:
    seen: list[tuple[str, str | None]] = []

    async def run() -> None:
        with visitor_session("somebody else"):
            await call(wrapped(noting(seen)), "http")
            assert bound_session() == "somebody else"

    asyncio.run(run())
    assert seen == [("http", None)] * 3


def test_what_is_nobodys_request_is_passed_on_as_it_is() -> None:
    seen: list[tuple[str, str | None]] = []
    asyncio.run(call(wrapped(noting(seen)), "lifespan"))
    assert seen == [("lifespan", None)] * 3


def test_wrapped_twice_it_is_as_wrapped_once() -> None:
    seen: list[tuple[str, str | None]] = []
    asyncio.run(call(wrapped(wrapped(noting(seen))), "http", "s1"))
    assert seen == [("http", "s1")] * 3


def test_a_request_that_is_ended_in_another_context_leaves_that_as_it_is() -> None:
    """As an event loop's end, or the garbage collector, ends it."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(0)

    began = wrapped(app)({"type": "http", "headers": [(b"x-session", b"s1")]}, never, nowhere)
    import contextvars

    contextvars.copy_context().run(began.send, None)  # type: ignore[attr-defined]
    with visitor_session("somebody else"):
        began.close()  # type: ignore[attr-defined]
        assert bound_session() == "somebody else"
