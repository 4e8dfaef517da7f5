"""From the records of a log to the events of a group. Other groups' signals are skipped by their leading bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import compress, repeat
from operator import itemgetter, not_
from typing import Any, Literal, NamedTuple, cast

from pydantic import ValidationError

from oyez.schemas import Event, Undecodable
from oyez.schemas.declaration import Declaration
from oyez.schemas.decoding import Envelope, check_text, envelope_decoder, event_of, keyed_decoder
from oyez.schemas.encoding import CONTENT_TYPE, head_of, prefix
from oyez.schemas.foreign import key_in_data, typed_envelope
from oyez.schemas.headers import is_binary
from oyez.schemas.modes import found_in, message_key
from oyez.schemas.text import flaw
from oyez.schemas.wrapping import may_hold_an_event

from ..core.record import Original, Record
from ..handlers.application import Group

LONG = 400
"""Bytes; only a longer value can hold a text that is too long for an index."""
ESCAPED_NUL = b"\\u0000"
OURS = [("content-type", CONTENT_TYPE)]
"""The headers of what Oyez announces."""
MANY = 50
"""Other signals whose leading bytes are kept; of more, each event is looked at more closely."""


Tombstones = Literal["dead", "ignore"]

Refused = tuple[Record, str]
"""What cannot be decoded, and why."""


class Taken(NamedTuple):
    """One event as a worker has it: decoded, with the record that it arrived as. Two of them are never equal."""

    declaration: Declaration
    envelope: Envelope
    record: Original
    known: Event[Any] | None = None
    """The event with its envelope, where a handler wants it."""

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def source(self) -> str:
        return self.envelope["source"]

    @property
    def id(self) -> str:
        return self.envelope["id"]

    @property
    def key(self) -> str | None:
        return self.envelope.get("partitionkey")

    @property
    def data(self) -> Any:
        return self.envelope["data"]

    @property
    def event_id(self) -> tuple[str, str]:
        return (self.envelope["source"], self.envelope["id"])

    @property
    def event(self) -> Event[Any]:
        """The event with its envelope. Raises `Undecodable` if its time is none."""
        return self.known or event_of(self.declaration, self.envelope)


_new = partial(tuple.__new__, Taken)


@dataclass(frozen=True)
class Decoded:
    """Events in a column for each of their parts: mostly nobody asks for one of them alone. ``known`` has the events
    with their envelopes, if some handler wants these."""

    declarations: Sequence[Declaration] = ()
    envelopes: Sequence[Envelope] = ()
    records: Sequence[Original] = ()
    known: Sequence[Event[Any] | None] = ()

    @classmethod
    def of(cls, events: Sequence[Taken]) -> Decoded:
        """These events."""
        return cls(*zip(*events, strict=True)) if events else cls()

    @cached_property
    def events(self) -> list[Taken]:
        """Each by itself, made when somebody first asks."""
        return self.every(1)

    def every(self, step: int) -> list[Taken]:
        """The same for the first of each so many of them."""
        known = self.known[::step] or repeat(None)
        columns = (self.declarations[::step], self.envelopes[::step], self.records[::step], known)
        return list(map(_new, zip(*columns)))  # noqa: B905 # the last may be endless

    def data(self) -> list[Any]:
        """The signals' models."""
        return list(map(_data_of, self.envelopes))


NOTHING = Decoded()
_data_of = itemgetter("data")


def _has_nul(text: bytes) -> bool:
    """Whether an escaped NUL may be in it; one byte is found ten times as fast as six, and mostly is not there."""
    return b"\\" in text and ESCAPED_NUL in text


class Reader:
    """Decodes what a group handles; made once for each worker."""

    def __init__(self, group: Group, tombstones: Tombstones = "dead") -> None:
        """``tombstones``: what becomes of records without a value, which a compacted topic has."""
        self._handlers = group.by_signal
        self._eager = {h.declaration.name for h in group.handlers if h.wants_events}
        self._declarations = {d.name: d for d in group.declarations}
        self._decoders = [(prefix(d.name), d, envelope_decoder(d)) for d in group.declarations]
        self._keyed = {d.name: keyed_decoder(d) for d in group.declarations}
        self._prefixes = tuple(prefix(d.name) for d in group.declarations)
        self._others: tuple[bytes, ...] = ()
        self._may_hold_others = any(map(may_hold_an_event, group.declarations))
        self._ignores_tombstones = tombstones == "ignore"

    def read_all(self, records: Sequence[Record]) -> tuple[Decoded, list[Refused]]:
        """The group's events among these records, and what cannot be decoded, with the reason."""
        values = [record.value() for record in records]
        if None in values and self._ignores_tombstones:
            records = [record for record in records if not _is_tombstone(record)]
            values = [record.value() for record in records]
        try:
            found = None if None in values else self._together(cast("list[bytes]", values), records)
        except (ValidationError, Undecodable):
            found = None
        return self._one_by_one(values, records) if found is None else (found, [])

    def _together(self, values: Sequence[bytes], records: Sequence[Record]) -> Decoded | None:
        """All at once, which takes half as long; None when there is something special among them."""
        ours = [value.startswith(self._prefixes) for value in values]
        if not all(ours):
            if not self._are_others(compress(values, map(not_, ours)) if any(ours) else values):
                return None
            if self._may_hold_others and _some_binary(records):
                return None
            values, records = list(compress(values, ours)), list(compress(records, ours))
        declarations, envelopes = self._decoded(values)
        if _has_nul(b"".join(values)) or _some_binary(records):
            return None
        if max(map(len, values), default=0) > LONG:
            self._check_long(values, declarations, envelopes)
        known = list(map(self._event, declarations, envelopes)) if self._eager else ()
        return Decoded(declarations, envelopes, records, known)

    def _are_others(self, values: Iterable[bytes]) -> bool:
        """Whether all of these are events of other signals, seen by their leading bytes; these are kept."""
        for value in values:
            if not value.startswith(self._others):
                head = head_of(value)
                if head is None:
                    return False
                if len(self._others) < MANY:
                    self._others = (*self._others, head)
        return True

    def _decoded(self, values: Sequence[bytes]) -> tuple[Sequence[Declaration], list[Envelope]]:
        """The envelope of each canonical value, with its signal. ValidationError: one of them has no key."""
        if len(self._decoders) == 1:
            _, declaration, _ = self._decoders[0]
            return [declaration] * len(values), list(map(self._keyed[declaration.name], values))
        chosen = [next(d for head, d, _ in self._decoders if value.startswith(head)) for value in values]
        envelopes = [self._keyed[d.name](value) for d, value in zip(chosen, values, strict=True)]
        return chosen, envelopes

    def _check_long(
        self, values: Sequence[bytes], declarations: Sequence[Declaration], envelopes: Sequence[Envelope]
    ) -> None:
        for value, declaration, envelope in zip(values, declarations, envelopes, strict=True):
            if len(value) > LONG:
                check_text(declaration, envelope)
                self._check_required(declaration, envelope)

    def _event(self, declaration: Declaration, envelope: Envelope) -> Event[Any] | None:
        """Made while there still is somebody to refuse it."""
        return event_of(declaration, envelope) if declaration.name in self._eager else None

    def _one_by_one(
        self,
        values: Sequence[bytes | None],
        records: Sequence[Record],
    ) -> tuple[Decoded, list[Refused]]:
        found: list[Taken] = []
        refused: list[Refused] = []
        for value, record in zip(values, records, strict=True):
            try:
                taken = self._decode(value, record)
            except Undecodable as error:
                refused.append((record, error.reason))
            else:
                if taken is not None:
                    found.append(taken)
        return Decoded.of(found), refused

    def read(self, record: Original) -> Taken | None:
        """Decode one record; None for another group's. Raises `Undecodable`."""
        return self._decode(record.value(), record)

    def _decode(self, value: bytes | None, record: Original) -> Taken | None:
        if value is not None and not is_binary(record.headers()):
            for head, declaration, decoder in self._decoders:
                if value.startswith(head):
                    try:
                        envelope = decoder(value)
                    except ValidationError:
                        break  # the full path finds the reason, in one line
                    return self._taken(declaration, envelope, value, record)
            else:
                if self._are_others([value]):
                    return None
        return self._decode_any(value, record)

    def _taken(self, declaration: Declaration, envelope: Envelope, value: bytes, record: Original) -> Taken:
        keyless = "partitionkey" not in envelope
        if keyless:
            key, flawed = message_key(record.key())
            if flawed:
                key = key_in_data(declaration, envelope["data"], flawed)
            if key is not None:
                envelope["partitionkey"] = key
        if len(value) > LONG or ESCAPED_NUL in value or keyless:
            check_text(declaration, envelope)
            self._check_required(declaration, envelope)
        return Taken(declaration, envelope, record, self._event(declaration, envelope))

    def _check_required(self, declaration: Declaration, envelope: Envelope) -> None:
        """What a handler requires beside the signal is looked up in the database as well."""
        for handler in self._handlers[declaration.name]:
            for prerequisite in handler.required(envelope["data"]):
                if prerequisite.subject and (reason := flaw(prerequisite.subject)):
                    raise Undecodable(f"required {prerequisite.signal}: {reason}")

    def _decode_any(self, value: bytes | None, record: Original) -> Taken | None:
        """The type is looked at first: what is not the group's may be as it likes."""
        found = found_in(value, record.headers())
        foreign = self._declarations.get(found.signal)
        if foreign is None:
            return None
        return self._taken(foreign, typed_envelope(found.read(record.key()), foreign), value or b"", record)


def _some_binary(records: Sequence[Original]) -> bool:
    """Whether some of these are in binary mode, whatever their bytes look like: their headers decide first."""
    headers = [record.headers() for record in records]
    return headers.count(OURS) != len(headers) and any(map(is_binary, filter(None, headers)))


def _is_tombstone(record: Original) -> bool:
    return record.value() is None and not is_binary(record.headers())
