"""The middleware that binds the visitor session of each request."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase

from ..session import BoundSteps, visitor_session
from ..web.keys import key_in
from .keys import key_function


class VisitorSession:
    """What is announced in a request has its visitor session as the key, unless it is given another one.

    It is bound for every request, and to nothing if the visitor has none: servers may run a request in the context of
    the one before. What a response streams is announced under it too.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Django's own protocol. SettingsError: ``settings.OYEZ["KEY"]`` is wrong."""
        self._get_response = get_response
        self._key = key_function()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        key = key_in(request, self._key)
        if self._is_async:
            return self._awaited(request, key)
        with visitor_session(key):
            return _streaming(self._get_response(request), key)

    async def _awaited(self, request: HttpRequest, key: str | None) -> HttpResponseBase:
        with visitor_session(key):
            return _streaming(await self._get_response(request), key)


def _streaming(response: Any, key: str | None) -> HttpResponseBase:
    """A file is left to the server, which may send it itself."""
    if getattr(response, "streaming", False) and not isinstance(response, FileResponse):
        steps = _awaited_steps if response.is_async else _steps
        response.streaming_content = steps(response.streaming_content, key)
    found: HttpResponseBase = response
    return found


def _steps(parts: Iterable[bytes], key: str | None) -> Iterator[bytes]:
    """Whoever takes them has what is bound of its own in between."""
    steps = BoundSteps(key)
    rest = iter(parts)
    while True:
        try:
            part = steps.run(next, rest)
        except StopIteration:
            return
        yield part


async def _awaited_steps(parts: AsyncIterable[bytes], key: str | None) -> AsyncIterator[bytes]:
    rest = aiter(parts)
    while True:
        with visitor_session(key):
            try:
                part = await anext(rest)
            except StopAsyncIteration:
                return
        yield part
