"""From the records of a log to the events of a group. Other groups' signals are skipped by their leading bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pydantic import ValidationError

from oyez.schemas import (
    CANONICAL,
    Declaration,
    Envelope,
    Event,
    Signal,
    Undecodable,
    check_text,
    envelope_decoder,
    event_of,
    flaw,
    message_key,
    prefix,
    read_envelope,
    typed_envelope,
)

from .application import Group

LONG = 400
"""Bytes; only a longer value can hold a text that is too long for an index."""
ESCAPED_NUL = b"\\u0000"


class Original(Protocol):
    """What an event arrived as: the bytes that are kept when it has to wait."""

    def value(self) -> bytes | None: ...
    def key(self) -> bytes | None: ...
    def headers(self) -> Sequence[tuple[str, bytes]] | None: ...


class Record(Original, Protocol):
    """One record of a log; a Kafka client's message is one as it is."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...


class Taken:
    """One event as a worker has it: decoded, with the record that it arrived as."""

    __slots__ = ("_event", "data", "declaration", "envelope", "id", "key", "record", "source")

    def __init__(self, declaration: Declaration, envelope: Envelope, record: Original) -> None:
        self.declaration = declaration
        self.envelope = envelope
        self.record = record
        self.source: str = envelope["source"]
        self.id: str = envelope["id"]
        self.key: str | None = envelope.get("partitionkey")
        self.data: Signal = envelope["data"]
        self._event: Event[Any] | None = None

    @property
    def event_id(self) -> tuple[str, str]:
        return (self.source, self.id)

    @property
    def event(self) -> Event[Any]:
        """The event with its envelope. Raises `Undecodable` if its time is none."""
        if self._event is None:
            self._event = event_of(self.declaration, self.envelope)
        return self._event


class Reader:
    """Decodes what a group handles; made once for each worker."""

    def __init__(self, group: Group) -> None:
        self._handlers = group.by_signal
        self._eager = {h.declaration.name for h in group.handlers if h.wants_events}
        self._declarations = {d.name: d for d in group.declarations}
        self._decoders = [(prefix(d.name), d, envelope_decoder(d)) for d in group.declarations]
        self._prefixes = tuple(prefix(d.name) for d in group.declarations)

    def read_all(self, records: Sequence[Record], refuse: Callable[[Record, str], None]) -> list[Taken]:
        """The group's events among these records; ``refuse(record, reason)`` gets what cannot be decoded."""
        found: list[Taken] = []
        for value, record in self._ours(records):
            try:
                taken = self._decode(value, record)
            except Undecodable as error:
                refuse(record, error.reason)
            else:
                if taken is not None:
                    found.append(taken)
        return found

    def read(self, record: Original) -> Taken | None:
        """Decode one record; None for another group's. Raises `Undecodable`."""
        return self._decode(record.value(), record)

    def _ours(self, records: Sequence[Record]) -> list[tuple[bytes | None, Record]]:
        """The records that may be the group's: its signals, and whatever is not in our own form."""
        wanted = self._prefixes
        values = [record.value() for record in records]
        try:
            return [
                (value, record)
                for value, record in zip(values, records, strict=True)
                if value.startswith(wanted) or not value.startswith(CANONICAL)  # type: ignore[union-attr]
            ]
        except AttributeError:  # a record without a value among them
            return [
                (value, record)
                for value, record in zip(values, records, strict=True)
                if value is None or value.startswith(wanted) or not value.startswith(CANONICAL)
            ]

    def _decode(self, value: bytes | None, record: Original) -> Taken | None:
        if value is not None:
            for head, declaration, decoder in self._decoders:
                if value.startswith(head):
                    try:
                        envelope = decoder(value)
                    except ValidationError:
                        break  # the full path finds the reason, in one line
                    return self._taken(declaration, envelope, value, record)
        return self._decode_any(value, record)

    def _taken(self, declaration: Declaration, envelope: Envelope, value: bytes, record: Original) -> Taken:
        keyless = "partitionkey" not in envelope
        if keyless and (key := message_key(record.key())) is not None:
            envelope["partitionkey"] = key
        if len(value) > LONG or ESCAPED_NUL in value or keyless:
            check_text(declaration, envelope)
            self._check_required(declaration, envelope)
        taken = Taken(declaration, envelope, record)
        if declaration.name in self._eager:
            _ = taken.event  # while there still is somebody to refuse it
        return taken

    def _check_required(self, declaration: Declaration, envelope: Envelope) -> None:
        """What a handler requires beside the signal is looked up in the database as well."""
        for handler in self._handlers[declaration.name]:
            for pair in handler.required(envelope["data"]):
                if pair.subject and (reason := flaw(pair.subject)):
                    raise Undecodable(f"required {pair.signal}: {reason}")

    def _decode_any(self, value: bytes | None, record: Original) -> Taken | None:
        raw = read_envelope(value, record.headers(), record.key())
        foreign = self._declarations.get(raw.signal)
        if foreign is None:
            return None
        return self._taken(foreign, typed_envelope(raw, foreign), value or b"", record)
