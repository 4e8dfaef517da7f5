"""Stored events as they are announced again: with the same data, counted, under the same id or another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json

from .encoding import head_of
from .headers import Headers, is_binary, texts_of
from .modes import found_in, message_key
from .text import flaw

COUNT = "oyezreplays"
"""The extension attribute that counts how often an event was announced again."""
ORIGIN = "oyezreplayof"
"""The extension attribute with the id under which it was announced for the first time, where that is another one."""
_DATA = b',"data":'
_ORDER = ("specversion", "type", "source", "id", "time", "partitionkey", "subject")
_OTHERS = frozenset(("data", "data_base64", "datacontenttype", COUNT, ORIGIN))


@dataclass(frozen=True, slots=True)
class Stored:
    """An event that was announced once, with its data as bytes."""

    signal: str
    source: str
    id: str
    time: str | None
    key: str | None
    attributes: dict[str, Any]
    """All of it but the data."""
    data: bytes | None
    """JSON; None if it has none."""

    @property
    def replays(self) -> int:
        """How often it was announced again before."""
        count = self.attributes.get(COUNT)
        text = str(count)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    @property
    def origin(self) -> str:
        """The id under which it was announced for the first time."""
        said = self.attributes.get(ORIGIN)
        return said if isinstance(said, str) and flaw(said) is None else self.id

    def again(self, new_id: str | None = None, *, replays: int | None = None) -> bytes:
        """The event as it is announced once more, in canonical form; under its own id unless another is given.
        ``replays`` says how often it was before, where that is known better."""
        said = {name: self.attributes.get(name) for name in _ORDER}
        said |= {name: value for name, value in self.attributes.items() if name not in _OTHERS}
        own = new_id or self.id
        said |= {
            "id": own,
            "partitionkey": self.key,
            COUNT: (self.replays if replays is None else replays) + 1,
        }
        said[ORIGIN] = None if own == self.origin else self.origin
        head = json.dumps(
            {name: value for name, value in said.items() if value is not None},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        return head if self.data is None else head[:-1] + _DATA + self.data + b"}"


def stored_event(value: bytes | None, headers: Headers | None = None, key: bytes | None = None) -> Stored:
    """The event in a record, of whatever type. ``key`` is the message key, which counts where the event has none of its
    own. Undecodable: it is no CloudEvent 1.0 with JSON data."""
    if value is not None and not is_binary(headers) and head_of(value) is not None:
        found = _canonical(value)
        if found is not None:
            return found if found.key is not None else replace(found, key=message_key(key)[0])
    raw = found_in(value, headers).read(key)
    data: bytes | None = raw.body
    if raw.wrapped:
        data = to_json(raw.data)
    elif raw.data is None:
        data = None
    return Stored(raw.signal, raw.source, raw.id, raw.time, raw.key, _attributes(value, headers), data)


def _canonical(value: bytes) -> Stored | None:
    """As we write them, with the data at the end: its bytes are taken as they are. None for what is otherwise.

    In a JSON text a quote is escaped, so that the first ``,"data":`` is no part of one.
    """
    head, mark, rest = value.partition(_DATA)
    if not mark or not rest.endswith(b"}"):
        return None
    try:
        attributes = from_json(head + b"}")
        from_json(rest[:-1])
    except ValueError:
        return None
    texts = [attributes.get(name) for name in ("type", "source", "id")]
    others = [attributes.get(name) for name in ("time", "partitionkey")]
    if any(flaw(one) for one in texts) or any(one is not None and flaw(one) for one in others):
        return None
    if any(isinstance(one, dict | list) for one in attributes.values()):
        return None
    signal, source, event_id = texts
    time, key = others
    return Stored(signal, source, event_id, time, key, attributes, rest[:-1])


def _attributes(value: bytes | None, headers: Headers | None) -> dict[str, Any]:
    """All attributes of an event, whichever mode it is in, and what else stands beside them."""
    if headers is None or not is_binary(headers):
        found: dict[str, Any] = from_json(value or b"{}")
        return found
    given = headers if isinstance(headers, Mapping) else dict(headers)
    names = [name.lower() for name in given if name.lower().startswith("ce_")]
    return {name[3:]: text for name, text in texts_of(headers, names).items()}
