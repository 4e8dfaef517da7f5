"""Any CloudEvent, read: the full path, for other producers' events and a reason when the fast path fails."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from .catalogue import Catalogue
from .declaration import Declaration
from .decoding import Envelope, check_text, event_of, json_reader, typed_dict
from .errors import Undecodable, reasons
from .event import Event
from .headers import Headers
from .modes import RawEnvelope, found_in
from .versions import upcasted, version_of


def read_envelope(value: bytes | None, headers: Headers | None, key: bytes | None) -> RawEnvelope:
    """Read a CloudEvent of whatever type.

    `key` is the Kafka message key, which counts when the event has no partitionkey. Undecodable: it is no
    CloudEvent 1.0 with JSON data.
    """
    raw = found_in(value, headers).read(key)
    if raw.keyless:
        raise Undecodable(raw.keyless)
    return raw


def decode(
    value: bytes | None, headers: Headers | None, key: bytes | None, catalogue: Catalogue
) -> Event[Any]:
    """The typed event in a record.

    Undecodable: there is none; UnknownSignal: its signal is not in `catalogue`.
    """
    found = found_in(value, headers)
    declaration = catalogue[found.signal]
    return event_of(declaration, typed_envelope(found.read(key), declaration))


def typed_envelope(raw: RawEnvelope, declaration: Declaration) -> Envelope:
    """The envelope with its data as the signal's model. Undecodable: the data does not fit."""
    raw = _newest(raw, declaration)
    envelope: Envelope = {"source": raw.source, "id": raw.id, "data": _typed(raw, declaration)}
    if raw.time is not None:
        envelope["time"] = raw.time
    key = raw.key if not raw.keyless else key_in_data(declaration, envelope["data"], raw.keyless)
    if key is not None:
        envelope["partitionkey"] = key
    check_text(declaration, envelope)
    envelope["traceparent"], envelope["tracestate"] = raw.trace
    if raw.expirytime is not None:
        envelope["expirytime"] = raw.expirytime
    return envelope


def _newest(raw: RawEnvelope, declaration: Declaration) -> RawEnvelope:
    """The same with data of the newest version. Data of a newer one than this code knows is read as far as it is."""
    version = version_of(declaration, raw.dataschema)
    if version >= declaration.version or raw.data is None:
        return raw
    data = upcasted(declaration, raw.data, version)
    try:
        body = to_json(data)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise Undecodable(f"data: what an upcast gave is no JSON: {reason}") from None
    return replace(raw, data=data, body=body, wrapped=False)


def _typed(raw: RawEnvelope, declaration: Declaration) -> Any:
    try:
        read = _reader(declaration, raw.wrapped)(raw.body)
    except ValidationError as error:
        raise Undecodable("data: Field required" if raw.data is None else reasons(error)) from None
    return read["data"] if raw.wrapped else read


@lru_cache(maxsize=1000)
def _reader(declaration: Declaration, wrapped: bool) -> Callable[[bytes], Any]:
    model = declaration.model
    return json_reader(typed_dict("Wrapped", {"data": model}) if wrapped else model)


def key_in_data(declaration: Declaration, data: Any, keyless: str) -> str:
    """The key that the data holds. Undecodable, for the reason `keyless`: it holds none."""
    try:
        key = declaration.key_of(data)
    except ValueError:
        key = None
    if key is None:
        raise Undecodable(keyless)
    return key
