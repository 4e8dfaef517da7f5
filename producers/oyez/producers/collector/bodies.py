"""A request's body, within bounds."""

from __future__ import annotations

from starlette.requests import Request

from .answers import RefusedUnread


async def body_of(request: Request, limit: int) -> bytes:
    """All of it; the connection sees to it that it arrives in time. RefusedUnread: it has more than `limit` bytes, or
    is compressed."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RefusedUnread(415, "the body is compressed; send it as it is")
    if int(request.headers.get("content-length", "0")) > limit:
        raise _too_large(limit)
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
