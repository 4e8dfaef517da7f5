"""What is refused before any page is asked, and what browsers are told of each answer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Refusal = Callable[[Scope, HTTPException], ASGIApp]
"""Makes the page that says why a request is refused."""

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would take the origin from the dashboard's own forms too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SAFE = ("GET", "HEAD")


class Guard:
    """Refuses names that are not the dashboard's, which a page elsewhere may have given to this address, and what pages
    of other origins post. None for ``hosts``: any name."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None, refusal: Refusal) -> None:
        self._app = app
        self._refusal = refusal
        self._hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._why_not(scope["method"], Headers(scope=scope))
        app = self._app if refused is None else self._refusal(scope, refused)
        await app(scope, receive, told)

    def _why_not(self, method: str, headers: Headers) -> HTTPException | None:
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return HTTPException(
                421, f"this dashboard does not answer as {host[:200]!r}; add it to OYEZ_DASHBOARD_HOSTS"
            )
        if method not in SAFE and not is_of_the_dashboard(headers):
            return HTTPException(403, "this was sent by a page of another origin, and nothing was done")
        return None


def is_of_the_dashboard(headers: Headers) -> bool:
    """Whether a page of the same origin has sent it. A browser says so by one of two headers; without both, nothing is
    known. (`Sec-Fetch-Site` is sent over TLS and on the same machine only. A proxy may have changed the scheme.)"""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return site is not None
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False


def _name(host: str) -> str:
    """A host without its port."""
    name, colon, port = host.lower().rpartition(":")
    return (name if colon and port.isdigit() else host.lower()).strip("[]").rstrip(".")
