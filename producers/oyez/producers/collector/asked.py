"""What the headers of a request say."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network

from starlette.requests import Request


def content_type(request: Request) -> str:
    """The content type, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def bearer_in(request: Request) -> str:
    """The key of `Authorization: Bearer KEY`; empty if there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def place_of(request: Request) -> str:
    """By what its rate is counted: the address, and of IPv6 the 64 bits that one subscriber has at least."""
    host = host_of(request)
    try:
        return str(ip_network((host, 64), strict=False)) if ":" in host else host
    except ValueError:  # a proxy has said something else
        return host


def host_of(request: Request) -> str:
    """The address that it comes from. One of IPv4 is written so, also if a server that listens to both had it."""
    host = request.client.host if request.client else ""
    try:
        mapped = IPv6Address(host).ipv4_mapped if ":" in host else None
    except ValueError:  # a proxy has said something else
        return host
    return host if mapped is None else str(mapped)
