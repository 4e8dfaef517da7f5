"""Events from outside as they are stored: validated, and written as this server writes its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from oyez.schemas import Catalogue, Event, InvalidEvent, OyezError
from oyez.schemas.encoding import Encoder, expiry_member, trace_members
from oyez.schemas.text import flaw

from ..announcer import Stamped
from ..outgoing import Route
from ..stamps import TimeText

SOURCES = 256
"""Sources whose encoders are kept."""


class Maker:
    """Writes events."""

    def __init__(self, catalogue: Catalogue, topic: str, clock: Callable[[], int] = time.time_ns) -> None:
        """`topic` is for signals that name none; `clock` gives nanoseconds since the epoch."""
        self._clock = clock
        self._time_text = TimeText()
        self._encoder = lru_cache(SOURCES)(lambda source: Encoder(source, catalogue))
        self._route = lru_cache(None)(lambda signal: Route.of(catalogue[signal], topic))

    def made(self, event: Event[Any]) -> Stamped:
        """An event as it is handed to a transport. One without a time is stamped. InvalidEvent: a text of it cannot be
        used, or it cannot be written."""
        if reason := flaw(event.id):
            raise InvalidEvent(f"id: {reason}")
        route = self._route(event.signal)
        key, subject = route.identify(event.data, event.key)
        value = self._encoder(event.source).encode(
            event.data,
            id=event.id,
            time=self._time_text(self._clock()) if event.time is None else _text(event.time),
            key=key,
            subject=subject,
            trace=(_trace(event) if event.traceparent else "")
            + ("" if event.expires is None else expiry_member(_text(event.expires))),
        )
        return event.id, route.topic, None if key is None else key.encode(), value


def _trace(event: Event[Any]) -> str:
    return trace_members({"traceparent": event.traceparent or "", "tracestate": event.tracestate or ""})


def _text(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def reason_of(error: OyezError | ValueError | RecursionError) -> str:
    """Why an event cannot be taken, in one line that is not endless."""
    return " ".join(str(error).split())[:500]
