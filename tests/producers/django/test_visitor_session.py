"""The middleware binds the visitor session of each request, and nothing for a visitor who has none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from django.test import AsyncClient, Client

from oyez.producers import AnnouncerClosed, SettingsError, visitor_session
from oyez.producers.django import announcer
from oyez.producers.django.asgi import closing_at_the_end
from oyez.producers.session import bound_session
from support.django_project import in_project

OURS = "oyez.producers.django.middleware.VisitorSession"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


def in_site(url: str, work: Callable[[], object], *middleware: str, **oyez: Any) -> None:
    """Do it in a project with these views; sessions are files."""

    def run() -> None:
        work()
        assert bound_session() is None

    in_project(
        url,
        run,
        MIDDLEWARE=[*middleware, OURS],
        ROOT_URLCONF="producers.django.urls",
        SESSION_ENGINE="django.contrib.sessions.backends.file",
        OYEZ={"TRANSPORT": "memory", **oyez},
    )


def said(client: Client, path: str, **headers: str) -> str:
    response: Any = client.get(path, headers=headers)
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode())


async def said_async(client: AsyncClient, path: str) -> str:
    response: Any = await client.get(path)
    assert response.status_code == 200
    content = b"".join([part async for part in response]) if response.streaming else response.content
    return str(content.decode())


def test_djangos_session_is_the_key_by_a_number_made_of_it(sqlite: str) -> None:
    """Whoever reads events does not learn what would let them be the visitor."""

    def work() -> None:
        client = Client()
        assert said(client, "/key") == "None"
        session = said(client, "/login")
        key = said(client, "/key")
        assert key == sha256(session.encode()).hexdigest()[:32]
        assert said(client, "/awaited") == key
        assert said(client, "/streamed") == f"{key} {key}"
        assert said(Client(), "/key") == "None"

    in_site(sqlite, work, SESSIONS)


def test_a_visitor_without_a_key_gets_none_of_another(sqlite: str) -> None:
    """Also if the server runs the request in the context of the one before."""

    def work() -> None:
        client = Client()
        client.cookies["sid"] = "v1"
        with visitor_session("somebody else"):
            assert said(Client(), "/key") == "None"
            assert said(client, "/key") == said(client, "/awaited") == "v1"
            assert bound_session() == "somebody else"

    in_site(sqlite, work, KEY="cookie:sid")


def test_asynchronous_requests(sqlite: str) -> None:
    async def requests() -> None:
        client = AsyncClient()
        client.cookies["sid"] = "v1"
        with visitor_session("somebody else"):
            assert await said_async(AsyncClient(), "/awaited") == "None"
            assert await said_async(client, "/awaited") == await said_async(client, "/key") == "v1"
            assert await said_async(client, "/streamed-async") == "v1 v1"

    in_site(sqlite, lambda: asyncio.run(requests()), KEY="cookie:sid")


def test_a_function_of_the_projects_own_and_what_cannot_be_a_key(sqlite: str) -> None:
    """What a visitor may send breaks no request."""

    def work() -> None:
        client = Client()
        assert said(client, "/key", **{"X-Visitor": "v7"}) == "v7"
        assert said(client, "/key", **{"X-Visitor": "v" * 5000}) == "None"
        assert said(client, "/key", **{"X-Visitor": ""}) == "None"
        assert said(client, "/key") == "None"

    in_site(sqlite, work, KEY="producers.django.urls.of_header")


def test_without_sessions_it_says_what_is_missing(sqlite: str) -> None:
    def work() -> None:
        with pytest.raises(
            SettingsError, match=r"SessionMiddleware before .*VisitorSession, or set settings.OYEZ"
        ):
            Client().get("/key")

    in_site(sqlite, work)


def test_what_was_announced_arrives_before_a_server_of_asgi_stops(sqlite: str) -> None:
    """uvicorn ends itself by the signal that it got: nothing is run at exit."""

    def work() -> None:
        sent: list[str] = []

        async def serve() -> None:
            from django.core.asgi import get_asgi_application

            events = iter(["lifespan.startup", "lifespan.shutdown"])

            async def receive() -> dict[str, Any]:
                return {"type": next(events)}

            async def send(message: Any) -> None:
                sent.append(message["type"])

            application = closing_at_the_end(get_asgi_application())
            first = await asyncio.to_thread(announcer)
            await application({"type": "lifespan"}, receive, send)
            with pytest.raises(AnnouncerClosed):
                first.announce("x", {})
            assert await asyncio.to_thread(announcer) is not first

        asyncio.run(serve())
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    in_site(sqlite, work, KEY="cookie:sid")
