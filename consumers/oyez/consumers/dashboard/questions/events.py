"""All that is known of an event: what became of it for each handler, and its bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ...database.delivery_filter import Filter
from ...handlers.application import Application
from ...reports import (
    DeliveryDetails,
    Explanation,
    Part,
    after_expiry,
    dead_details,
    explain,
    parked_details,
    way_out,
)

MOST = 65_536
"""Letters of an event that are shown."""
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class EventOf:
    """An event of one source: what became of it, each part with what would release it, and what it means for those that
    follow if it has expired; and the event as it arrived, if anything is kept of it. ``is_cut``: it is longer than what
    is shown."""

    explanation: Explanation
    parts: Sequence[tuple[Part, str | None, str | None]]
    headers: Sequence[tuple[str, str]]
    text: str | None
    size: int | None
    is_cut: bool
    trace: str | None


def events_of(
    db: Connection, application: Application, event_id: str, source: str | None, now: float
) -> list[EventOf]:
    """Of each source that has an event of this id. ``now`` is in seconds since the epoch."""
    explained = explain(db, application, event_id, source, now)
    wanted = Filter(app=application.name, events=(event_id,), source=source)
    kept = {one.delivery.source: one for one in (*dead_details(db, wanted), *parked_details(db, wanted))}
    return [_event(one, kept.get(one.source)) for one in explained]


def _event(one: Explanation, details: DeliveryDetails | None) -> EventOf:
    parts = [(part, way_out(one, part), after_expiry(one, part)) for part in one.parts]
    if details is None:
        return EventOf(one, parts, (), None, None, is_cut=False, trace=None)
    text = _text(details)
    return EventOf(
        one,
        parts,
        details.headers,
        text[:MOST],
        details.delivery.size,
        is_cut=len(text) > MOST,
        trace=_trace(details.event, dict(details.headers)),
    )


def _text(details: DeliveryDetails) -> str:
    if details.text is not None:
        return details.text
    if details.base64 is not None:
        return f"(base64) {details.base64}"
    return json.dumps(details.event, ensure_ascii=False, indent=2)


def _trace(event: Any, headers: Mapping[str, str]) -> str | None:
    """The id of the trace that the event was announced in."""
    own = event.get("traceparent") if isinstance(event, dict) else None
    for said in (own, headers.get("ce_traceparent"), headers.get("traceparent")):
        found = _TRACE.fullmatch(said) if isinstance(said, str) else None
        if found:
            return found[1]
    return None
