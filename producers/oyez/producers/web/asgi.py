"""Middleware for ASGI: Starlette, FastAPI, Quart, Litestar, and whatever else speaks it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ..session import visitor_session
from .keys import KeyOf, checked, key_in

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUESTS = ("http", "websocket")
"""The kinds of scope that are somebody's; the others are the server's own."""


class SessionMiddleware:
    """Binds the visitor session of each request, and of each WebSocket as long as it lasts.

    A request without a key has none bound: a server may run it in the context of the one before it on its connection.
    """

    def __init__(self, app: ASGIApp, *, key: KeyOf) -> None:
        """`key` gives the key of a scope: `cookie("sid")`, `header("X-Session")`, or a function. TypeError: it cannot
        be called for that."""
        self._app = app
        self._key = checked(key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in REQUESTS:
            await self._app(scope, receive, send)
            return
        with visitor_session(key_in(scope, self._key)):
            await self._app(scope, receive, send)
