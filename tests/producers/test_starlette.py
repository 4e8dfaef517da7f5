"""The announcers of a Starlette or FastAPI application: as long as it lives, and where its endpoints ask for them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware as StarletteSessions
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from oyez.producers import AnnouncerClosed, Settings, SettingsError
from oyez.producers.closing import closed
from oyez.producers.fastapi import AnnouncerDep, AnnouncerInThreadsDep, announcing
from oyez.producers.made_when_used import MadeWhenUsed
from oyez.producers.session import bound_session
from oyez.producers.starlette import announcer_in_threads, announcer_of, in_session
from oyez.producers.web import SessionMiddleware, cookie
from producers.shop import FailingTransport, PageViewed, known, memory_announcer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have another client than the one that is there
    from starlette.testclient import TestClient

MEMORY = Settings(transport="memory")


def application(**said: Any) -> FastAPI:
    app = FastAPI(lifespan=announcing(settings=MEMORY, catalogue=known, **said))
    app.add_middleware(SessionMiddleware, key=cookie("sid"))

    @app.get("/")
    async def front(announcer: AnnouncerDep) -> str:
        return await announcer.announce("page.viewed", {"url": "/"})

    @app.get("/in-thread")
    def in_thread(announcer: AnnouncerInThreadsDep) -> str:
        return announcer.announce("page.viewed", {"url": "/"})

    @app.websocket("/socket")
    async def talk(talking: WebSocket, announcer: AnnouncerDep) -> None:
        await talking.accept()
        await talking.send_text(await announcer.announce("page.viewed", {"url": "/"}))
        await talking.close()

    return app


def test_each_kind_of_endpoint_has_its_announcer_and_the_visitors_key() -> None:
    seen: list[Any] = []

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        yield {"own": 1}

    app = application()
    app.router.lifespan_context = announcing(own, settings=MEMORY, catalogue=known)

    @app.get("/seen")
    async def see(request: Request) -> int:
        seen.append(request.state.oyez)
        return int(request.state.own)

    with TestClient(app, cookies={"sid": "s1"}) as client:
        assert client.get("/seen").json() == 1
        (announcers,) = seen
        assert client.get("/").status_code == client.get("/in-thread").status_code == 200
        with client.websocket_connect("/socket") as talking:
            assert talking.receive_text()
        in_threads = announcers.in_threads()
        assert (announcers.in_loop.announced, in_threads.announced) == (2, 1)
    with pytest.raises(AnnouncerClosed):
        in_threads.announce(PageViewed(session_id="s1", url="/"))


def test_what_is_mounted_has_them_too_and_the_own_lifespan_may_announce() -> None:
    ids: list[str] = []

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await announcer_of(request).announce(PageViewed(session_id="s1", url="/")))

    @asynccontextmanager
    async def own(app: Starlette) -> AsyncIterator[None]:
        async with announcing(settings=MEMORY, catalogue=known)(app) as state:
            announcer = state["oyez"].in_loop
            yield
            ids.append(await announcer.announce(PageViewed(session_id="s1", url="/bye")))

    inner = Starlette(routes=[Route("/", page)])
    app = Starlette(
        routes=[Mount("/inner", inner)], lifespan=announcing(own, settings=MEMORY, catalogue=known)
    )
    with TestClient(app) as client:
        assert len(client.get("/inner/").text) == 36
    assert len(ids) == 1


def test_without_the_lifespan_it_says_what_is_missing() -> None:
    request = Request({"type": "http"})
    for ask in (announcer_of, announcer_in_threads):
        with pytest.raises(
            SettingsError, match=r"with lifespan=announcing\(\), and let that run: .*TestClient"
        ):
            ask(request)


async def visit(request: Request) -> PlainTextResponse:
    before = bound_session()
    request.session["visitor"] = "ann"
    return PlainTextResponse(str(before))


async def look(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(bound_session()))


ROUTES = [Route("/", visit), Route("/look", look)]


def test_the_key_is_in_starlettes_session() -> None:
    ours = Middleware(SessionMiddleware, key=in_session("visitor"))
    theirs = Middleware(StarletteSessions, secret_key="s")
    client = TestClient(Starlette(routes=ROUTES, middleware=[theirs, ours]))
    assert [client.get("/").text for _ in range(2)] == ["None", "ann"]
    assert "Vary" not in client.get("/look").headers
    with pytest.raises(SettingsError, match=r"in_session\('visitor'\): no session is there") as error:
        TestClient(Starlette(routes=ROUTES, middleware=[ours, theirs])).get("/")
    assert "\n" not in str(error.value)


def test_what_does_not_arrive_at_the_end_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    announcer, _ = memory_announcer(on_undelivered=lambda *_: None)
    failing = type(announcer)(
        FailingTransport(), source="web-1", catalogue=known, on_undelivered=lambda *_: None
    )
    failing.announce(PageViewed(session_id="s1", url="/"))
    kept = MadeWhenUsed(lambda: failing)
    with caplog.at_level(logging.ERROR):
        closed(kept)  # it was not made
        assert not caplog.messages
        assert kept() is failing
        closed(kept)
    assert caplog.messages == ["at the end: 1 announced events did not arrive: broken"]
