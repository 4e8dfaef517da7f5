"""Events as a test is given them, of the rows in which they are kept."""

from __future__ import annotations

from typing import Any

from oyez.schemas import Catalogue, Event, Signal, Undecodable, UnknownSignal, decode

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


class OfEvent:
    """What is kept of an event, with the event where that can be decoded."""

    signal: str
    event: Event[Any] | None

    @property
    def data(self) -> Signal:
        """The event's data, as a handler is given it. LookupError where it cannot be decoded."""
        if self.event is None:
            raise LookupError(f"the event of {self!r} cannot be decoded")
        data: Signal = self.event.data
        return data

    @property
    def _said(self) -> str:
        """The signal, and the data as far as that is known."""
        return self.signal if self.event is None else f"{self.signal} {self.event.data!r}"
