"""A request's body, within bounds."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from .answers import RefusedUnread


async def body_of(request: Request, limit: int, seconds: float) -> bytes:
    """All of it. RefusedUnread: it has more than `limit` bytes, is compressed, or does not arrive in time."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RefusedUnread(415, "the body is compressed; send it as it is")
    if int(request.headers.get("content-length", "0")) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, limit)
    except TimeoutError:
        raise RefusedUnread(408, f"the body has not arrived within {seconds:g} s; send it again") from None


async def _read(request: Request, limit: int) -> bytes:
    parts, size = [], 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise RefusedUnread(400, "the connection was closed before the body had arrived")
        parts.append(part := message.get("body", b""))
        if (size := size + len(part)) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit: int) -> RefusedUnread:
    return RefusedUnread(413, f"the body has more than {limit} bytes; send fewer events at once")
