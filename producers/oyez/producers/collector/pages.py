"""`/collect`: pages of a site announce what happens on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from oyez.schemas import Catalogue

from ..stamps import uuid7_text
from .answers import Refused, RefusedUnread, Result, refusal, told
from .asked import content_type, place_of
from .bodies import body_of
from .foreign import json_of
from .intake import Intake
from .origins import key_of, may_read, origin_of
from .posted import Posted, Reader, posted_in
from .rates import Rates
from .settings import CollectSettings, Site
from .visitors import Visitors

PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
TYPES = ("application/json", "text/plain")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a page that may announce, and the headers that let the page read the answer."""

    key: str
    site: Site
    headers: dict[str, str]


class PageDoor:
    """What pages ask for."""

    def __init__(
        self,
        settings: CollectSettings,
        signals: Catalogue,
        intake: Intake,
        rates: tuple[Rates, Rates],
        visitors: Visitors,
        new_id: Callable[[], str] = uuid7_text,
    ) -> None:
        """`rates` are those of addresses, and of sites."""
        self._settings = settings
        self._intake = intake
        self._by_address, self._by_site = rates
        self._visitors = visitors
        self._reader = Reader(signals, settings.page_source, new_id)

    async def post(self, request: Request) -> Response:
        """Store what a page has posted. Refused: this page may not."""
        asked = self._asked(request)
        try:
            self._count(request, asked)
            if content_type(request) not in TYPES:
                raise RefusedUnread(415, f"the content type must be {' or '.join(TYPES)}")
            body = await body_of(request, self._settings.collect_max_body)
            posted = posted_in(body, self._settings.collect_max_events)
            results, cookie = await self._stored(request, asked, posted)
        except Refused as refused:
            return refusal(refused, asked.headers)
        return told(results, asked.headers | cookie)

    async def pixel(self, request: Request) -> Response:
        """Store the one event of an image's address. Refused: as for post()."""
        asked = self._asked(request)
        self._count(request, asked)
        said: dict[str, Any] = {"signal": request.query_params.get("signal")}
        if data := request.query_params.get("data"):
            said["data"] = json_of(data.encode(errors="replace"))
        results, cookie = await self._stored(request, asked, Posted([said]))
        if results[0].result != "ok":
            return told(results)
        return Response(PIXEL, 200, {"Cache-Control": "no-store", **cookie}, "image/gif")

    async def preflight(self, request: Request) -> Response:
        """Say that a page of the site may post JSON. Refused: it may not."""
        asked = self._asked(request)
        may = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type, Authorization",
        }
        return Response(status_code=204, headers={**asked.headers, **may, "Access-Control-Max-Age": "3600"})

    async def _stored(
        self, request: Request, asked: Asked, posted: Posted
    ) -> tuple[list[Result], dict[str, str]]:
        """What became of each event, and the header with the session's cookie."""
        self._by_address.count_events(place_of(request), len(posted.events))
        self._by_site.count_events(asked.key, len(posted.events))
        visitor = self._visitors.of(request, asked.key, posted.session, posted.consent)
        allowed = asked.site.signals
        read = [self._reader.read(one, allowed, visitor.key, visitor.stamps) for one in posted.events]
        results = await self._intake.take(read)
        return results, {"Set-Cookie": visitor.cookie} if visitor.cookie else {}

    def _asked(self, request: Request) -> Asked:
        key = key_of(request)
        site = self._settings.collect_sites.get(key)
        if site is None:
            raise RefusedUnread(401, "no site key that is known here; ask with ?site=KEY")
        origin = origin_of(request)
        if origin not in site.origins:
            raise RefusedUnread(403, f"pages of {origin[:100] or 'nowhere'} may not announce for this site")
        return Asked(key, site, may_read(origin))

    def _count(self, request: Request, asked: Asked) -> None:
        """Refused: too many have come already; this one does not count then."""
        address = place_of(request)
        if wait := self._by_address.wait(address):
            raise RefusedUnread(429, "too many events of this address; send them later", wait)
        if wait := self._by_site.wait(asked.key):
            raise RefusedUnread(429, "too many events of this site; send them later", wait)
        self._by_address.count_request(address)
        self._by_site.count_request(asked.key)
