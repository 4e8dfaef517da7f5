"""What is answered."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Kind = Literal["ok", "invalid", "duplicate", "retry"]

LINGER = 4_194_304
"""Bytes that are still taken from a client after its answer: one that is cut off while it sends never reads that."""
LINGER_SECONDS = 5.0
"""For how long, at most."""
AGAIN = 2
"""Seconds after which what could not be stored may be sent again."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event. `retry`: it is not stored, and may be sent again."""

    id: str | None
    result: Kind
    detail: str | None = None


class Refused(Exception):
    """A request that is not done, and why, in one line. `after`: seconds after which it may be sent again."""

    def __init__(
        self, status: int, reason: str, after: float | None = None, headers: Mapping[str, str] = {}
    ) -> None:  # read only
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.after = after
        self.headers = headers


class RefusedUnread(Refused):
    """The same, of a request whose body has not been read to its end."""


class LingeringAnswer(Response):
    """An answer before the request's body has been read: it is told at once; what still comes is taken, and dropped."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await _dropped(receive)
        await send({"type": "http.response.body", "body": b""})


async def _dropped(receive: Receive) -> None:
    dropped = 0
    while dropped < LINGER:
        message = await receive()
        dropped += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def refusal(refused: Refused, more: Mapping[str, str] = {}) -> Response:  # read only
    """The answer to a request that is not done."""
    headers = {**refused.headers, **more}
    if refused.after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refused.after)))
    text = f"{refused.reason}\n"
    if isinstance(refused, RefusedUnread):
        return LingeringAnswer(text, refused.status, {**headers, "Connection": "close"}, "text/plain")
    return Response(text, refused.status, headers, "text/plain")


def told(results: Sequence[Result], more: Mapping[str, str] = {}) -> Response:  # read only
    """What became of each event: 503 if one may be sent again, 422 if one cannot be taken, else 202."""
    kinds = {one.result for one in results}
    status = 503 if "retry" in kinds else 422 if "invalid" in kinds else 202
    headers = {**more, "Retry-After": str(AGAIN)} if status == 503 else dict(more)
    return Response(written(results), status, headers, "application/json")


def written(results: Sequence[Result]) -> bytes:
    """The body of that answer."""
    return b'{"results":[%s]}' % b",".join(map(_written, results))


def _written(result: Result) -> bytes:
    members = {"id": result.id, "result": result.result, "detail": result.detail}
    return to_json({name: value for name, value in members.items() if value is not None})
