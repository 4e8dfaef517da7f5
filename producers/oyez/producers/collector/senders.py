"""`/events`: other systems send CloudEvents, each with a key of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from oyez.schemas import Catalogue

from .answers import Refused, RefusedUnread, Result, told
from .asked import bearer_in, content_type
from .bodies import body_of
from .foreign import KINDS, events_in, is_readable
from .intake import Found, Intake
from .rates import Rates
from .settings import CollectSettings, Sender


class SenderDoor:
    """What other systems ask for."""

    def __init__(self, settings: CollectSettings, signals: Catalogue, intake: Intake, rates: Rates) -> None:
        self._settings = settings
        self._signals = signals
        self._intake = intake
        self._rates = rates
        self._senders = {_digest(key): sender for key, sender in settings.collect_keys.items()}
        self._own = {settings.source, settings.page_source}

    async def post(self, request: Request) -> Response:
        """Store the events of a request. Refused: it is not done."""
        name, sender = self._sender(request)
        if wait := self._rates.wait(name):
            raise RefusedUnread(429, "too many events with this key; send them later", wait)
        self._rates.count_request(name)
        kind = content_type(request)
        if not is_readable(kind, request.headers):
            raise RefusedUnread(415, f"the content type must be {KINDS}")
        body = await body_of(request, self._settings.collect_max_body)
        found = events_in(kind, request.headers, body, self._signals, self._settings.collect_max_events)
        self._rates.count_events(name, len(found))
        return told(await self._intake.take(self._allowed(found, sender)))

    async def handshake(self, request: Request) -> Response:
        """Say whether somebody may deliver webhooks here, and how many a minute."""
        origin = request.headers.get("webhook-request-origin")
        if origin is None:
            return Response(status_code=204, headers={"Allow": "POST, OPTIONS"})
        if origin not in self._settings.collect_webhooks:
            raise Refused(403, f"webhooks of {origin:.100} are not expected (OYEZ_COLLECT_WEBHOOKS)")
        rate = max(1, int(self._settings.collect_site_rate * 60))
        allowed = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": str(rate)}
        return Response(headers={"Allow": "POST, OPTIONS", **allowed})

    def _sender(self, request: Request) -> tuple[str, Sender]:
        name = _digest(bearer_in(request))
        if name not in self._senders:
            ask = {"WWW-Authenticate": "Bearer"}
            raise RefusedUnread(401, "no key that is known here; send Authorization: Bearer KEY", headers=ask)
        return name, self._senders[name]

    def _allowed(self, found: Sequence[Found], sender: Sender) -> list[Found]:
        return [one if isinstance(one, Result) else self._judged(one, sender) for one in found]

    def _judged(self, event: Found, sender: Sender) -> Found:
        assert not isinstance(event, Result)  # sorted out before
        if event.signal not in sender.signals:
            return Result(event.id, "invalid", f"this key may not announce {event.signal}")
        if event.source not in sender.sources or event.source in self._own:
            return Result(event.id, "invalid", f"this key may not send events of {event.source}")
        return event


def _digest(key: str) -> str:
    """Keys are looked up by it, so that how long that takes says nothing of a key."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
