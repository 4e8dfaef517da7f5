"""What the headers of a request say."""

from __future__ import annotations

from starlette.requests import Request


def content_type(request: Request) -> str:
    """The content type, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def bearer_in(request: Request) -> str:
    """The key of `Authorization: Bearer KEY`; empty if there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def host_of(request: Request) -> str:
    """The address that it comes from."""
    return request.client.host if request.client else ""
