"""What a page has posted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from oyez.schemas import Catalogue, Event, OyezError

from ..outgoing import typed
from .answers import Refused, Result
from .events import reason_of
from .foreign import check_number, json_of
from .intake import Found

_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
SHAPE = (
    'a page posts {"signal": …, "data": …}, a list of them, or {"events": […], "session": …, "consent": …}'
)


@dataclass(frozen=True, slots=True)
class Posted:
    """Events as a page has sent them, and what it says of the visitor."""

    events: list[Any]
    session: object = None
    consent: object = None


def posted_in(body: bytes, most: int) -> Posted:
    """What is in a body. Refused: it is no JSON, has another shape, or more than `most` events."""
    said = json_of(body)
    if isinstance(said, dict):
        listed = said.get("events", [said])
        said, session, consent = listed, said.get("session"), said.get("consent")
    else:
        session = consent = None
    if not isinstance(said, list):
        raise Refused(400, SHAPE)
    check_number(said, most)
    return Posted(said, session, consent)


class Reader:
    """Reads what pages announce."""

    def __init__(self, signals: Catalogue, source: str, new_id: Callable[[], str]) -> None:
        self._signals = signals
        self._source = source
        self._new_id = new_id

    def read(self, said: object, allowed: list[str], key: str | None, stamps: Mapping[str, object]) -> Found:
        """One event, of a signal that is allowed. Of the data, what the server knows is the server's to say."""
        if not isinstance(said, dict) or not isinstance(said.get("signal"), str):
            return Result(None, "invalid", SHAPE)
        event_id = said.get("id")
        if event_id is None:
            event_id = self._new_id()
        elif not (isinstance(event_id, str) and _ID.fullmatch(event_id)):
            return Result(None, "invalid", "id: 16 to 64 letters, digits, - or _, such as a UUID")
        signal = said["signal"]
        if signal not in allowed:
            return Result(event_id, "invalid", f"this site may not announce {signal[:100]}")
        try:
            data = self._typed(signal, said.get("data", {}), key, stamps)
        except (OyezError, ValueError, RecursionError) as error:
            return Result(event_id, "invalid", reason_of(error))
        return Event(event_id, self._source, None, signal, key, None, data)

    def _typed(self, signal: str, data: object, key: str | None, stamps: Mapping[str, object]) -> Any:
        if not isinstance(data, dict):
            raise ValueError("data must be an object of the signal's fields")
        fields = self._signals[signal].model.model_fields
        own = {name: value for name, value in data.items() if name not in stamps}
        own |= {name: value for name, value in stamps.items() if name in fields}
        return typed(self._signals, signal, to_json(own), key)
