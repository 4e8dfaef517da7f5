"""More connections than there may be."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from .answers import AGAIN, RefusedUnread, refusal
from .origins import Readers


class Crowd:
    """An application that says so to each request, while too many are connected. uvicorn has a limit too, but neither
    says when to come again, nor lets a page read it."""

    def __init__(self, app: ASGIApp, most: int, readers: Readers) -> None:
        """Fewer than `most` may be connected for a request to be answered."""
        self._app = app
        self._most = most
        self._readers = readers
        self.state = ServerState()
        """The server's own, once there is one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or len(self.state.connections) < self._most:
            await self._app(scope, receive, send)
            return
        refused = RefusedUnread(503, "too many connections; send it again later", AGAIN)
        await refusal(refused, self._readers.headers(Request(scope)))(scope, receive, send)
