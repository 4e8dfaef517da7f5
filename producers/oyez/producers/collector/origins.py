"""Which pages may read an answer."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request

from .asked import bearer_in
from .settings import Site


def key_of(request: Request) -> str:
    """The site key that a request names; empty if it names none."""
    return request.query_params.get("site") or bearer_in(request)


def origin_of(request: Request) -> str:
    """Where a page is from. Images say it by their referrer only."""
    said = request.headers.get("origin")
    if said is not None:
        return said
    try:
        referrer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    return f"{referrer.scheme}://{referrer.netloc}" if referrer.netloc else ""


def may_read(origin: str) -> dict[str, str]:
    """The headers that let the pages of an origin read the answer."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }


class Readers:
    """Says who may read what is answered before anybody has looked at a request."""

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self._sites = sites

    def headers(self, request: Request) -> dict[str, str]:
        """The headers for a page of a site; none for others."""
        site = self._sites.get(key_of(request))
        origin = origin_of(request)
        return may_read(origin) if site is not None and origin in site.origins else {}
