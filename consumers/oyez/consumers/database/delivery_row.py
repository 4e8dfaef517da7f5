"""The shape of a delivery's row: what a parked one and a dead letter have in common, and what a dead letter adds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from oyez.schemas.declaration import Prerequisite

from ..core.record import Original

Columns = dict[str, Any]
"""Values by column."""


class RecordPlace(NamedTuple):
    """Where in the log a record was."""

    topic: str | None = None
    partition: int | None = None
    position: int | None = None


NOWHERE = RecordPlace()


def delivery_row(
    original: Original,
    *,
    app: str,
    group: str,
    handler: str,
    signal: str,
    source: str,
    event_id: str,
    key: str | None,
    subject: str | None,
    parked_at: float,
    rank: int = 0,
    ordered: bool = False,
    waits: Prerequisite | None = None,
    attempts: int = 0,
    error: str | None = None,
    first_attempt: str | None = None,
) -> Columns:
    """What both have in common; ``first_attempt`` is the traceparent of its span, if it has one. The bytes are read
    with the schema of the day they run."""
    return {
        "app": app,
        "group_name": group,
        "handler": handler,
        "signal": signal,
        "source": source,
        "event_id": event_id,
        "key": key,
        "subject": subject,
        "rank": rank,
        "ordered": ordered,
        **waits_columns(waits),
        "attempts": attempts,
        "error": error,
        "parked_at": parked_at,
        "value": original.value(),
        "headers": headers_text(original.headers()),
        "first_attempt": first_attempt,
    }


def letter_row(
    row: Columns, reason: str, now: float, *, parked_id: int | None = None, place: RecordPlace = NOWHERE
) -> Columns:
    """The dead letter that a delivery becomes. ``parked_id`` is the id of its row, if it was parked; ``place`` is that
    of a record which is no event."""
    return {**row, "reason": reason, "died_at": now, "parked_id": parked_id, **place._asdict()}


def waits_columns(prerequisite: Prerequisite | None) -> Columns:
    """What a row waits for."""
    signal, subject = prerequisite or (None, None)
    return {"wait_signal": signal, "wait_subject": subject}


def waits_of(row: Any) -> Prerequisite | None:
    """What a row waits for, read again."""
    return None if row.wait_signal is None else Prerequisite(row.wait_signal, row.wait_subject)


def headers_text(headers: Sequence[tuple[str, bytes | None]] | None) -> str | None:
    """A record's headers as they are kept; None for none."""
    return _headers_text(tuple(map(tuple, headers))) if headers else None


def headers_of(text: str | None) -> list[tuple[str, bytes]]:
    """A record's headers, as `headers_text` has written them."""
    return list(_headers_of(text)) if text else []


@lru_cache(maxsize=64)
def _headers_text(headers: tuple[tuple[str, bytes | None], ...]) -> str:
    """See `_headers_of`."""
    return json.dumps([(name, (value or b"").decode("latin-1")) for name, value in headers])


@lru_cache(maxsize=64)
def _headers_of(text: str) -> tuple[tuple[str, bytes], ...]:
    """Most events have the same: what kind of content they are."""
    return tuple((name, value.encode("latin-1")) for name, value in json.loads(text))
