"""What a line of the spool is, for those who ship it."""

from __future__ import annotations

from pydantic_core import from_json

from ..ordered_sender import Outgoing

_REQUIRED = ("specversion", "id", "source", "type")


class NoEvent(ValueError):
    """A line is no event; the message says why."""


def outgoing(topic: str, line: bytes) -> Outgoing:
    """The event in a line, of whatever signal. Raises `NoEvent`."""
    try:
        envelope = from_json(line)
    except ValueError as error:
        raise NoEvent(f"it is not JSON: {error}") from None
    if not isinstance(envelope, dict):
        raise NoEvent("it is not a JSON object")
    for name in _REQUIRED:
        if not isinstance(envelope.get(name), str):
            raise NoEvent(f"it is not a CloudEvent: {name} is missing")
    key = envelope.get("partitionkey")
    if key is not None and not isinstance(key, str):
        raise NoEvent("it is not a CloudEvent: partitionkey is not a string")
    return Outgoing(topic, None if key is None else key.encode(), line)
