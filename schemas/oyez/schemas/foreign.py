"""Any CloudEvent, read: the full path, for other producers' events and a reason when the fast path fails."""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict

from .catalogue import Catalogue
from .declaration import Declaration
from .decoding import Envelope, Text, check_text, event_of, json_reader, time_of, typed_dict
from .errors import Undecodable, reasons
from .event import Event

Header = str | bytes | None
Headers = Sequence[tuple[str, Header]] | Mapping[str, Header]


class _Attributes(TypedDict, total=False):
    specversion: "Literal['1.0']"
    type: Text
    source: Text
    id: Text
    time: str | None
    partitionkey: Text | None
    subject: str | None
    datacontenttype: str | None


_attributes = TypeAdapter(_Attributes)
_NEEDED = ("specversion", "type", "source", "id")


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
    """The data as plain JSON values."""
    body: bytes
    """The JSON text that holds the data."""
    wrapped: bool
    """Whether `body` is the whole event, with the data as its member "data"."""


def read_envelope(value: bytes | None, headers: Headers | None, key: bytes | None) -> RawEnvelope:
    """Read structured mode (members in any order) or binary mode (`ce_` headers).

    `key` is the Kafka message key, which counts when the event has no partitionkey. Undecodable: it is no
    CloudEvent 1.0 with JSON data.
    """
    if value is None:
        raise Undecodable("no value (a tombstone)")
    texts = _header_texts(headers or ())
    content_type = texts.get("content-type", "").partition(";")[0].strip().lower()
    if "ce_specversion" in texts and not content_type.startswith("application/cloudevents"):
        return _binary(value, texts, key)
    if content_type.startswith("application/cloudevents") and content_type != "application/cloudevents+json":
        raise Undecodable(f"content-type {content_type!r} is not supported; use application/cloudevents+json")
    return _structured(value, key)


def decode(
    value: bytes | None, headers: Headers | None, key: bytes | None, catalogue: Catalogue
) -> Event[Any]:
    """The typed event in a record.

    Undecodable: there is none; UnknownSignal: its signal is not in `catalogue`.
    """
    raw = read_envelope(value, headers, key)
    declaration = catalogue[raw.signal]
    return event_of(declaration, typed_envelope(raw, declaration))


def typed_envelope(raw: RawEnvelope, declaration: Declaration) -> Envelope:
    """The envelope with its data as the signal's model. Undecodable: the data does not fit."""
    envelope: Envelope = {"source": raw.source, "id": raw.id, "data": _typed(raw, declaration)}
    if raw.time is not None:
        envelope["time"] = raw.time
    if raw.key is not None:
        envelope["partitionkey"] = raw.key
    check_text(declaration, envelope)
    return envelope


def _structured(value: bytes, key: bytes | None) -> RawEnvelope:
    members = _json(value, "the value")
    if not isinstance(members, dict):
        raise Undecodable("the value is JSON, but not an object")
    known = _checked(members)
    _check_data_type(known.get("datacontenttype"))
    if "data" in members:
        return _raw(known, key, members["data"], value, wrapped=True)
    if "data_base64" not in members:
        raise Undecodable("data: Field required")
    body = _base64(members["data_base64"])
    return _raw(known, key, _json(body, "data_base64"), body, wrapped=False)


def _binary(value: bytes, headers: dict[str, str], key: bytes | None) -> RawEnvelope:
    attributes = {name[3:]: text for name, text in headers.items() if name.startswith("ce_")}
    known = _checked(attributes)
    _check_data_type(headers.get("content-type"))
    return _raw(known, key, _json(value, "the value"), value, wrapped=False)


def _raw(known: _Attributes, key: bytes | None, data: Any, body: bytes, *, wrapped: bool) -> RawEnvelope:
    if (time := known.get("time")) is not None:
        time_of(time)
    return RawEnvelope(
        signal=known["type"],
        source=known["source"],
        id=known["id"],
        time=time,
        key=known.get("partitionkey") or message_key(key),
        subject=known.get("subject"),
        data=data,
        body=body,
        wrapped=wrapped,
    )


def _typed(raw: RawEnvelope, declaration: Declaration) -> Any:
    try:
        read = _reader(declaration, raw.wrapped)(raw.body)
    except ValidationError as error:
        raise Undecodable(reasons(error)) from None
    return read["data"] if raw.wrapped else read


@lru_cache(maxsize=1000)
def _reader(declaration: Declaration, wrapped: bool) -> Callable[[bytes], Any]:
    model = declaration.model
    return json_reader(typed_dict("Wrapped", {"data": model}) if wrapped else model, declaration)


def _checked(attributes: dict[str, Any]) -> _Attributes:
    for name in _NEEDED:
        if name not in attributes:
            raise Undecodable(f"not a CloudEvent: {name}: Field required")
    try:
        return _attributes.validate_python(attributes, extra="ignore", strict=True)
    except ValidationError as error:
        raise Undecodable(reasons(error)) from None


def _check_data_type(content_type: str | None) -> None:
    kind = (content_type or "application/json").partition(";")[0].strip().lower()
    if kind not in ("application/json", "text/json") and not kind.endswith("+json"):
        raise Undecodable(f"the data is {kind}, not JSON")


def message_key(key: bytes | None) -> str | None:
    """The Kafka message key as text, for an event that has no partitionkey. Undecodable: it is not UTF-8."""
    try:
        return key.decode() if key else None
    except UnicodeDecodeError:
        raise Undecodable("the message key is not UTF-8, and there is no partitionkey") from None


def _header_texts(headers: Headers) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    wanted = ((name.lower(), value) for name, value in pairs if value is not None)
    ours = ((name, value) for name, value in wanted if name.startswith("ce_") or name == "content-type")
    try:
        return {name: value if isinstance(value, str) else value.decode() for name, value in ours}
    except UnicodeDecodeError:
        raise Undecodable("a header of the event is not UTF-8") from None


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
