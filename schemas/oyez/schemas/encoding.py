"""Events as bytes: CloudEvents 1.0 JSON, always in one member order, the type first."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from json.encoder import encode_basestring
from typing import Any

from .catalogue import Catalogue, catalogue
from .checking import Check
from .errors import InvalidEvent
from .headers import EXPIRY, TRACE
from .readable import refuse_unreadable
from .signal import Signal
from .text import flaw
from .versions import dataschema

CANONICAL = b'{"specversion":"1.0","type":"'
"""Every event of ours begins so."""

CONTENT_TYPE = b"application/cloudevents+json"
"""The value of the `content-type` header that goes with it."""

_quoted = encode_basestring  # JSON text with its quotes, non-ASCII letters as they are


def prefix(name: str) -> bytes:
    """How every event of the signal `name` begins: a group skips other signals by comparing leading bytes."""
    return CANONICAL + name.encode() + b'",'


_head_of = re.compile(rb'\{"specversion":"1\.0","type":"[^"\\\x00-\x1f]+","source":"').match


def head_of(value: bytes) -> bytes | None:
    """How a canonical event begins, up to its source; None for what begins otherwise, or spells its type otherwise."""
    found = _head_of(value)
    return found and found[0]


_Head = tuple[str, Any, Callable[[Signal], bool] | None, int, Callable[[Signal, bytes], None]]
"""What is prepared for a signal: how its events begin; what writes the data; whether values leave it open how they are
read, if any does; up to how many bytes they do not; and what checks an event. A NamedTuple takes longer to unpack."""


class Encoder:
    """Writes the events of one source. What is the same for all events of a signal is prepared once."""

    def __init__(self, source: str, catalogue: Catalogue = catalogue) -> None:
        """InvalidEvent: `source` is empty, too long or otherwise not usable."""
        if reason := flaw(source):
            raise InvalidEvent(f"the source {source!r}: {reason}")
        self._source = _quoted(source)
        self._catalogue = catalogue
        self._heads: dict[type[Signal], _Head] = {}

    def encode(
        self,
        data: Signal,
        id: str,  # noqa: A002 # its name
        time: str,
        key: str | None,
        subject: str | None,
        trace: str = "",
    ) -> bytes:
        """One event. `time` is RFC 3339 text in UTC; `trace` are further members, as text: which trace it belongs
         to (`trace_members`), when it expires (`expiry_member`).
        InvalidEvent: it cannot be written as JSON, or nobody would read it as what it is."""
        head, write, doubtful, longest, check = self._heads.get(type(data)) or self._head(type(data))
        keyed = "" if key is None else f',"partitionkey":{_quoted(key)}'
        about = "" if subject is None else f',"subject":{_quoted(subject)}'
        unsure = data.__oyez_unsure__
        try:
            envelope = f'{head}{_quoted(id)},"time":"{time}"{keyed}{about}{trace},"data":'.encode()
            written: bytes = write(data, warnings=False) if unsure else write(data)
            value = envelope + written + b"}"
        except (ValueError, RecursionError) as error:  # pydantic's own among them
            raise InvalidEvent(
                f"{type(data).__name__} cannot be written as JSON: {_one_line(error)}"
            ) from None
        if unsure or len(value) > longest or (doubtful is not None and doubtful(data)):
            check(data, value)
        return value

    def _head(self, model: type[Signal]) -> _Head:
        """What is the same for all events of a signal. SchemaError: none of them could be read."""
        refuse_unreadable(model)
        declaration = self._catalogue[model]
        check = Check(declaration)
        write: Any = model.__pydantic_serializer__.to_json
        schema = dataschema(declaration)
        versioned = "" if schema is None else f',"dataschema":{_quoted(schema)}'
        head = f'{prefix(declaration.name).decode()}"source":{self._source}{versioned},"id":'
        doubtful = None
        if check.is_needed:
            write, doubtful = partial(write, warnings=False), check.is_doubtful
        found: _Head = (head, write, doubtful, check.longest, check.check)
        self._heads[model] = found
        return found


def trace_members(carrier: Mapping[str, str]) -> str:
    """The members of an event with the trace that is in `carrier`, as a propagator of W3C Trace Context fills it."""
    found = ((name, carrier.get(name)) for name in TRACE)
    return "".join(f',"{name}":{_quoted(text)}' for name, text in found if text)


def expiry_member(time: str) -> str:
    """The member of an event that expires at `time`, which is as for `Encoder.encode`."""
    return f',"{EXPIRY}":"{time}"'


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
