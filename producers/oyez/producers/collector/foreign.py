"""CloudEvents in requests: structured, in a batch, or binary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from pydantic_core import from_json, to_json

from oyez.schemas import Catalogue, Event, OyezError, decode

from .answers import Refused, Result
from .events import reason_of
from .intake import Found

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
KINDS = f"{ONE}, {BATCH}, or binary mode with ce-… headers"


def is_readable(kind: str, headers: Mapping[str, str]) -> bool:
    """Whether a request with this content type may have events."""
    return kind in (ONE, BATCH) or "ce-specversion" in headers


def events_in(
    kind: str, headers: Mapping[str, str], body: bytes, signals: Catalogue, most: int
) -> list[Found]:
    """The events of a request. Refused: it is no JSON, or has more than `most`."""
    if kind == BATCH:
        members = json_of(body)
        if not isinstance(members, list):
            raise Refused(400, "a batch is a JSON array of events")
        check_number(members, most)
        return [_structured(one, _bytes(one), signals) for one in members]
    if kind == ONE:
        return [_one(body, signals)]
    attributes = [
        (name.replace("-", "_", 1), unquote(text)) for name, text in headers.items() if name[:3] == "ce-"
    ]
    attributes.append(("content-type", headers.get("content-type", "")))
    return [_read(headers.get("ce-id"), body or None, attributes, signals)]


def check_number(events: Sequence[object], most: int) -> None:
    """Refused: there are more than `most`."""
    if len(events) > most:
        raise Refused(413, f"there are {len(events)} events, {most} may come at once; send fewer")


def json_of(body: bytes) -> Any:
    """What is in a body. Refused: it is no JSON, or nested too deeply."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(400, f"the body is no JSON: {reason_of(error)}") from None


def _bytes(event: Any) -> bytes | None:
    try:
        return to_json(event)
    except ValueError:  # a number that Python reads, and does not write
        return None


def _one(body: bytes, signals: Catalogue) -> Found:
    """A body that is one event. It is looked at twice only if it is none."""
    try:
        return decode(body, (), None, signals)
    except (OyezError, ValueError, RecursionError) as error:
        return Result(_id_in(json_of(body)), "invalid", reason_of(error))


def _structured(members: Any, value: bytes | None, signals: Catalogue) -> Found:
    return _read(_id_in(members), value, (), signals)


def _id_in(members: Any) -> str | None:
    said = members.get("id") if isinstance(members, dict) else None
    return said if isinstance(said, str) else None


def _read(
    said: str | None, value: bytes | None, headers: Sequence[tuple[str, str]], signals: Catalogue
) -> Event[Any] | Result:
    try:
        return decode(value, headers, None, signals)
    except (OyezError, ValueError, RecursionError) as error:
        return Result(said, "invalid", reason_of(error))
