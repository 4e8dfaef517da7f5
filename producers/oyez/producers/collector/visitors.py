"""Who a request is of, as far as that may be known."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from uuid import uuid4

from starlette.requests import Request

from .asked import host_of
from .settings import CollectSettings

SILENCE = 1800
"""Seconds without a request after which a session has ended."""
DAY = 86_400
_SESSION = re.compile(r"[A-Za-z0-9_-]{16,64}")
_BOT = re.compile(
    r"bot\b|bot[/ ;]|crawl|spider|slurp|headless|preview|scrap|monitor|curl/|wget/|python|java/|okhttp|go-http|^$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The key of a visitor's events, the `Set-Cookie` of the answer, and what the server knows of the visitor."""

    key: str | None
    cookie: str | None
    stamps: Mapping[str, object]


class Visitors:
    """Says who a request is of, as the settings allow it."""

    def __init__(self, settings: CollectSettings, clock: Callable[[], float] = time.time) -> None:
        """`clock` is in seconds since the epoch: a salt lives for one of its days."""
        self._settings = settings
        self._clock = clock
        self._salt = (-1, b"")

    def of(self, request: Request, site: str, session: object, consent: object) -> Visitor:
        """`session` and `consent` are what the page has said of them."""
        agrees = self._agrees(request, consent)
        stamps = {
            "visitor_address": self._address(request, agrees),
            "visitor_agent": request.headers.get("user-agent", "")[:250],
            "visitor_bot": _BOT.search(request.headers.get("user-agent", "")) is not None,
            "visitor_site": site,
        }
        had = request.cookies.get(self._settings.collect_cookie)
        if not agrees:
            return Visitor(
                self._anonymous(request, site), self._cookie(request, "", 0) if had else None, stamps
            )
        if _is_session(session):
            return Visitor(str(session), None, stamps)
        key = had if had and _is_session(had) else uuid4().hex
        return Visitor(key, self._cookie(request, key, SILENCE), stamps)

    def _agrees(self, request: Request, consent: object) -> bool:
        opted_out = "1" in (request.headers.get("dnt"), request.headers.get("sec-gpc"))
        if consent is False or (opted_out and self._settings.collect_opt_out == "honour"):
            return False
        return consent is True or self._settings.collect_consent == "assumed"

    def _address(self, request: Request, agrees: bool) -> str | None:
        """Who has not consented is not told by an address either."""
        said = self._settings.collect_address
        if said == "drop" or request.client is None:
            return None
        host = host_of(request)
        return host if said == "keep" and agrees else truncated(host)

    def _anonymous(self, request: Request, site: str) -> str | None:
        if self._settings.collect_anonymous == "none":
            return None
        day = int(self._clock() // DAY)
        if self._salt[0] != day:
            self._salt = (day, secrets.token_bytes(32))
        parts = "\0".join((site, host_of(request), request.headers.get("user-agent", "")))
        return f"anonymous-{hmac.digest(self._salt[1], parts.encode(), 'sha256').hex()[:32]}"

    def _cookie(self, request: Request, value: str, seconds: int) -> str:
        secure = "; Secure" if request.url.scheme == "https" else ""
        name = self._settings.collect_cookie
        return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"


def truncated(address: str) -> str | None:
    """The network that an address is in: of IPv4 the first three bytes, of IPv6 the first 48 bits."""
    try:
        known = ip_address(address)
    except ValueError:
        return None
    return str(ip_network((known, 24 if known.version == 4 else 48), strict=False).network_address)


def _is_session(text: object) -> bool:
    return isinstance(text, str) and _SESSION.fullmatch(text) is not None
