"""Events as a test is given them, of the rows in which they are kept."""

from __future__ import annotations

from typing import Any

from oyez.schemas import Catalogue, Event, Undecodable, UnknownSignal, decode

from ..database.delivery_row import headers_of


def event_of(
    value: bytes | None, headers: str | None, key: str | None, signals: Catalogue
) -> Event[Any] | None:
    """The event, None if it cannot be decoded."""
    try:
        return decode(
            bytes(value or b""), headers_of(headers), None if key is None else key.encode(), signals
        )
    except (Undecodable, UnknownSignal):
        return None
