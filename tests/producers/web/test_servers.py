"""Whose key is bound under real servers, which keep connections, and start a request in the context of another one."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import StreamingResponse

from oyez.producers.session import bound_session
from oyez.producers.web import SessionMiddleware, cookie
from support.waiting import eventually

BODY = b"x" * 100_000
"""More than uvicorn takes before it lets the connection wait, to go on in the request's context."""


def application(after: list[str | None]) -> FastAPI:
    """Says what is bound where. `after`: in background tasks."""
    app = FastAPI()
    app.add_middleware(SessionMiddleware, key=cookie("sid"))

    @app.post("/key")
    async def key(request: Request) -> str | None:
        await request.body()
        return bound_session()

    @app.get("/in-thread")
    def in_thread() -> str | None:
        return bound_session()

    @app.get("/streamed")
    async def streamed() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for _ in range(3):
                await asyncio.sleep(0)
                yield f"{bound_session()} "

        return StreamingResponse(parts())

    @app.get("/streamed-in-thread")
    def streamed_in_thread() -> StreamingResponse:
        return StreamingResponse(f"{bound_session()} " for _ in range(3))

    @app.get("/after")
    def then(tasks: BackgroundTasks) -> None:
        async def note() -> None:
            after.append(bound_session())

        tasks.add_task(note)
        tasks.add_task(lambda: after.append(bound_session()))

    return app


@contextmanager
def uvicorn_serving(app: Any, place: socket.socket) -> Iterator[None]:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[place])))
    thread.start()
    try:
        eventually(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def hypercorn_serving(app: Any, place: socket.socket) -> Iterator[None]:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config, ending, started = Config(), threading.Event(), threading.Event()
    config.bind = [f"fd://{place.dup().detach()}"]
    config.errorlog = None

    async def ended() -> None:
        started.set()
        await asyncio.to_thread(ending.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve(app, config, shutdown_trigger=ended)))
    thread.start()
    try:
        assert started.wait(60)
        yield
    finally:
        ending.set()
        thread.join()


@pytest.fixture(params=[uvicorn_serving, hypercorn_serving])
def serving(request: pytest.FixtureRequest) -> Callable[..., Any]:
    made: Callable[..., Any] = request.param
    return made


Served = tuple[HTTPConnection, list[str | None]]


@pytest.fixture
def served(serving: Callable[..., Any]) -> Iterator[Served]:
    """One connection to the application, and what its background tasks have noted."""
    after: list[str | None] = []
    with socket.create_server(("127.0.0.1", 0)) as place, serving(application(after), place):
        connection = HTTPConnection("127.0.0.1", place.getsockname()[1], timeout=60)
        connection.connect()
        yield connection, after
        connection.close()


def ask(connection: HTTPConnection, path: str, session: str | None = None) -> str:
    headers = {} if session is None else {"Cookie": f"sid={session}"}
    if path == "/key":
        connection.request("POST", path, BODY, headers)
    else:
        connection.request("GET", path, headers=headers)
    with connection.getresponse() as answer:
        assert answer.status == 200
        return answer.read().decode()


def test_a_visitor_without_a_key_does_not_get_the_last_ones(served: Served) -> None:
    connection, _ = served
    own = connection.sock
    for path in ("/key", "/in-thread", "/key", "/streamed"):
        assert ask(connection, "/key", "a") == '"a"'
        assert ask(connection, path) in {"null", "None None None "}
    assert connection.sock is own, "it was one connection"


def test_neither_does_one_who_has_asked_before_that_was_answered(served: Served) -> None:
    """Pipelining: the server begins the second request in the midst of the first one."""
    connection, _ = served
    both = b"".join(
        b"GET /in-thread HTTP/1.1\r\nHost: x\r\n%s\r\n" % said for said in (b"Cookie: sid=a\r\n", b"")
    )
    connection.sock.sendall(both)
    said = b""
    while said.count(b"HTTP/1.1 200") < 2 or not said.endswith(b"null"):
        part = connection.sock.recv(65_536)
        assert part, said
        said += part
    assert b'"a"' in said


def test_the_key_is_bound_in_every_kind_of_endpoint(served: Served) -> None:
    connection, after = served
    assert json.loads(ask(connection, "/key", "a")) == "a"
    assert json.loads(ask(connection, "/in-thread", "b")) == "b"
    assert ask(connection, "/streamed", "c") == "c c c "
    assert ask(connection, "/streamed-in-thread", "d") == "d d d "
    ask(connection, "/after", "e")
    eventually(lambda: after == ["e", "e"])
    assert ask(connection, "/key") == "null"
