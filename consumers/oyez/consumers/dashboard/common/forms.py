"""What a form has posted."""

from __future__ import annotations

from contextlib import aclosing
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST = 65_536
"""Bytes of a form, at most."""
FIELDS = 200
TYPE = "application/x-www-form-urlencoded"


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; of one that is there twice, the last. HTTPException: it is none, or too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TYPE:
        raise HTTPException(415, f"a form is sent as {TYPE}")
    body = b""
    async with aclosing(request.stream()) as parts:
        async for part in parts:
            body += part
            if len(body) > MOST:
                raise HTTPException(413, f"a form has at most {MOST} bytes")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        raise HTTPException(400, "what was sent cannot be read as a form") from None
