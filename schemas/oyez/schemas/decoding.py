"""Canonical events, read: the fast path, for values that begin with a known signal's prefix."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import StringConstraints, TypeAdapter
from typing_extensions import TypedDict

from .declaration import Declaration, required_prerequisites
from .errors import Undecodable
from .event import Event
from .headers import EXPIRY, TRACE
from .text import MAX_TEXT, flaw
from .tolerant import tolerant_reader
from .versions import dataschema

typed_dict: Any = TypedDict  # called by another name where only run time knows the members' types
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class Envelope(TypedDict):
    """What a decoded event is made of; `data` is the signal's model."""

    source: str
    id: str
    time: NotRequired[str]
    partitionkey: NotRequired[str]
    traceparent: NotRequired[Any]
    tracestate: NotRequired[Any]
    expirytime: NotRequired[Any]
    data: Any


def envelope_decoder(declaration: Declaration) -> Callable[[bytes], Envelope]:
    """A function that decodes a canonical event of this signal. Unknown members are ignored, in the data too.

    It raises pydantic's ValidationError; then the full path, `decode`, has the last word.
    """
    return _decoder(declaration, NotRequired[Text])


def keyed_decoder(declaration: Declaration) -> Callable[[bytes], Envelope]:
    """The same for events that have a key. ValidationError: this one has none."""
    return _decoder(declaration, Text)


def _decoder(declaration: Declaration, key: Any) -> Callable[[bytes], Envelope]:
    members = {"source": Text, "id": Text, "time": NotRequired[str], "partitionkey": key}
    members |= dict.fromkeys((*TRACE, EXPIRY), NotRequired[Any])  # whatever these are, the event is read
    if (schema := dataschema(declaration)) is not None:
        members["dataschema"] = Literal[schema]  # of another version: the full path brings it up to this one
    envelope = typed_dict("Envelope", members | {"data": declaration.model})
    return cast(Callable[[bytes], Envelope], json_reader(envelope))


def json_reader(kind: Any) -> Callable[[bytes], Any]:
    """A function that reads JSON as `kind`, ignoring what models in it do not know."""
    return tolerant_reader(TypeAdapter(kind).core_schema)


def event_of(declaration: Declaration, envelope: Envelope) -> Event[Any]:
    """The typed event of a decoded envelope. Undecodable: its time is none."""
    data = envelope["data"]
    time = envelope.get("time")
    return Event(
        id=envelope["id"],
        source=envelope["source"],
        time=None if time is None else time_of(time),
        signal=declaration.name,
        key=envelope.get("partitionkey"),
        subject=declaration.subject_of(data),
        data=data,
        traceparent=text_or_none(envelope.get("traceparent")),
        tracestate=text_or_none(envelope.get("tracestate")),
        expires=expiry_of(envelope),
    )


def expiry_of(envelope: Envelope) -> datetime | None:
    """From when an event is of no use; None if it does not say, or what it says is no time: it is a hint."""
    said = text_or_none(envelope.get(EXPIRY))
    try:
        return None if said is None else time_of(said)
    except Undecodable:
        return None


def text_or_none(value: object) -> str | None:
    """What should be a text, if it is one."""
    return value if isinstance(value, str) else None


def time_of(text: str) -> datetime:
    """RFC 3339 text as an aware time in UTC. Undecodable: it is none, or has no offset."""
    try:
        time = datetime.fromisoformat(text.upper())
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Undecodable(f"time: {text[:60]!r} is no RFC 3339 time with an offset")


def check_text(declaration: Declaration, envelope: Envelope) -> None:
    """Undecodable: an id, source, key or subject is too long for the database, or has a NUL character.

    The fast path leaves this out; it is for when the database refuses a batch.
    """
    data = envelope["data"]
    texts = [("id", envelope["id"]), ("source", envelope["source"]), ("key", envelope.get("partitionkey"))]
    texts.append(("subject", declaration.subject_of(data) or None))
    prerequisites = required_prerequisites(declaration.requires, data)
    texts += [
        (f"required {prerequisite.signal}", prerequisite.subject or None) for prerequisite in prerequisites
    ]
    for what, text in texts:
        if text is not None and (reason := flaw(text)):
            raise Undecodable(f"{what}: {reason}")
