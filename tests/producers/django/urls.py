"""Views that say under which key they would announce."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from oyez.producers.session import bound_session


def key(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(bound_session()))


async def awaited(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse(str(bound_session()))


def login(request: HttpRequest) -> HttpResponse:
    request.session["seen"] = True
    request.session.save()
    return HttpResponse(str(request.session.session_key))


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield f"{bound_session()} "
        yield str(bound_session())

    return StreamingHttpResponse(parts())


async def streamed_async(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        yield f"{bound_session()} "
        await asyncio.sleep(0)
        yield str(bound_session())

    return StreamingHttpResponse(parts())


def of_header(request: HttpRequest) -> str | None:
    """A function of a project's own."""
    return request.headers.get("X-Visitor")


urlpatterns = [
    path("key", key),
    path("awaited", awaited),
    path("login", login),
    path("streamed", streamed),
    path("streamed-async", streamed_async),
]
