"""The two modes of CloudEvents: one JSON object, or data whose attributes are headers. The type is looked at first."""

from base64 import b64decode
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol, Self

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict

from .decoding import Text, text_or_none, time_of
from .errors import Undecodable, reasons
from .headers import Headers, content_type, is_binary, text_in, texts_of
from .lenient import leniently
from .text import flaw


class _Attributes(TypedDict, total=False):
    specversion: "Literal['1.0']"
    type: Text
    source: Text
    id: Text
    time: str | None
    partitionkey: Text | None
    subject: str | None
    datacontenttype: str | None


_NEEDED = ("specversion", "type", "source", "id")
_IN_HEADERS = frozenset((*(f"ce_{name}" for name in _Attributes.__annotations__), "content-type"))
"""The headers that are read in binary mode. Attributes of others may be as they like."""


@cache
def _attributes() -> TypeAdapter[_Attributes]:
    """Made for the first event that is read so: to make it takes longer than to load this module."""
    return TypeAdapter(_Attributes)


Trace = tuple[str | None, str | None]


class _Said(NamedTuple):
    """Attributes that may be anything: what is no text is none."""

    traceparent: str | None
    tracestate: str | None
    dataschema: str | None
    expirytime: str | None


@dataclass(frozen=True, slots=True)
class RawEnvelope:
    """A CloudEvent whose data is not typed yet."""

    signal: str
    source: str
    id: str
    time: str | None
    key: str | None
    subject: str | None
    data: Any
    """The data as plain JSON values; None if it has none."""
    body: bytes
    """The JSON text that holds the data."""
    wrapped: bool
    """Whether `body` is the whole event, with the data as its member "data"."""
    keyless: str = ""
    """Why the message key is no key, if there is none besides."""
    trace: Trace = (None, None)
    """Its traceparent and tracestate."""
    dataschema: str | None = None
    """What it says of its data's schema."""
    expirytime: str | None = None
    """From when it is of no use, as it says."""


class Found(Protocol):
    """A CloudEvent of which only the type was looked at: what is not ours may be anything else."""

    @property
    def signal(self) -> str:
        """Its type."""

    def read(self, key: bytes | None) -> RawEnvelope:
        """All of it; `key` is the Kafka message key. Undecodable: it is no CloudEvent 1.0 with JSON data."""


def found_in(value: bytes | None, headers: Headers | None) -> Found:
    """The CloudEvent in a record, in structured mode (members in any order) or binary mode (`ce_` headers).

    The headers say which, before the bytes do. Undecodable: there is none.
    """
    if is_binary(headers):
        return Binary.of(value, headers or ())
    kind = content_type(headers or ())
    if kind.startswith("application/cloudevents") and kind != "application/cloudevents+json":
        raise Undecodable(f"content-type {kind!r} is not supported; use application/cloudevents+json")
    if value is None:
        raise Undecodable("no value (a tombstone)")
    return structured(value)


@dataclass(frozen=True, slots=True)
class Structured:
    """An event that is one JSON object. `flaw` is why its JSON cannot be read, if only the type could."""

    signal: str
    value: bytes
    members: dict[str, Any]
    flaw: str | None = None

    def read(self, key: bytes | None) -> RawEnvelope:
        if self.flaw:
            raise Undecodable(self.flaw)
        known = _checked(self.members)
        said = _Said(*(text_or_none(self.members.get(name)) for name in _Said._fields))
        if self.members.get("data") is not None:
            _check_data_type(known.get("datacontenttype"))
            return _raw(known, key, said, self.members["data"], self.value, wrapped=True)
        if self.members.get("data_base64") is None:
            return _raw(known, key, said, None, b"{}", wrapped=False)
        _check_data_type(known.get("datacontenttype"))
        body = _base64(self.members["data_base64"])
        return _raw(known, key, said, _json(body, "data_base64"), body, wrapped=False)


def structured(value: bytes) -> Structured:
    """The event in a value. Undecodable: there is none."""
    flaw = None
    try:
        members = _json(value, "the value")
    except Undecodable as error:
        flaw, members = error.reason, leniently(value)
        if not (isinstance(members, dict) and isinstance(members.get("type"), str)):
            raise
    if not isinstance(members, dict):
        raise Undecodable("the value is JSON, but not an object")
    signal = members.get("type")
    if not isinstance(signal, str):
        _checked(members)
        raise Undecodable("type: Input should be a valid string")
    return Structured(signal, value, members, flaw)


@dataclass(frozen=True, slots=True)
class Binary:
    """An event whose attributes are headers, and whose data is the value."""

    signal: str
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, value: bytes | None, headers: Headers) -> Self:
        """Undecodable: it has no type."""
        texts = texts_of(headers, ("ce_type",))
        if "ce_type" not in texts:
            raise Undecodable("not a CloudEvent: type: Field required")
        return cls(texts["ce_type"], value, headers)

    def read(self, key: bytes | None) -> RawEnvelope:
        texts = texts_of(self.headers, _IN_HEADERS)
        known = _checked({name[3:]: text for name, text in texts.items() if name.startswith("ce_")})
        said = _Said(*(text_in(self.headers, f"ce_{name}") for name in _Said._fields))
        if not self.value:
            return _raw(known, key, said, None, b"{}", wrapped=False)
        _check_data_type(texts.get("content-type"))
        return _raw(known, key, said, _json(self.value, "the value"), self.value, wrapped=False)


def _raw(
    known: _Attributes, key: bytes | None, said: _Said, data: Any, body: bytes, *, wrapped: bool
) -> RawEnvelope:
    if (time := known.get("time")) is not None:
        time_of(time)
    chosen, keyless = known.get("partitionkey"), ""
    if chosen is None:
        chosen, keyless = message_key(key)
    return RawEnvelope(
        signal=known["type"],
        source=known["source"],
        id=known["id"],
        time=time,
        key=chosen,
        subject=known.get("subject"),
        data=data,
        body=body,
        wrapped=wrapped,
        keyless=keyless,
        trace=(said.traceparent, said.tracestate),
        dataschema=said.dataschema,
        expirytime=said.expirytime,
    )


def _checked(attributes: dict[str, Any]) -> _Attributes:
    for name in _NEEDED:
        if name not in attributes:
            raise Undecodable(f"not a CloudEvent: {name}: Field required")
    try:
        return _attributes().validate_python(attributes, extra="ignore", strict=True)
    except ValidationError as error:
        raise Undecodable(reasons(error)) from None


def _check_data_type(said: str | None) -> None:
    kind = (said or "application/json").partition(";")[0].strip().lower()
    if kind not in ("application/json", "text/json") and not kind.endswith("+json"):
        raise Undecodable(f"the data is {kind}, not JSON")


def message_key(key: bytes | None) -> tuple[str | None, str]:
    """The Kafka message key as text, for an event that has no partitionkey; and why it cannot be one, if it is there
    and cannot: a number of eight bytes, say."""
    if not key:
        return None, ""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return None, "the message key is not UTF-8, and there is no partitionkey"
    reason = flaw(text)
    return (None, f"key: {reason}, and there is no partitionkey") if reason else (text, "")


def _json(value: bytes, what: str) -> Any:
    try:
        return from_json(value)
    except ValueError as error:
        raise Undecodable(f"{what} is not JSON: {' '.join(str(error).split())}") from None


def _base64(text: object) -> bytes:
    try:
        return b64decode(str(text), validate=True)
    except ValueError:
        raise Undecodable("data_base64 is not base64") from None
