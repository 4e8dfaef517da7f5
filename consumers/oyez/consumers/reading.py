"""From the records of a log to the events of a group. Other groups' signals are skipped by their leading bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import ValidationError

from oyez.schemas import (
    CANONICAL,
    Declaration,
    Envelope,
    Event,
    Signal,
    check_text,
    envelope_decoder,
    event_of,
    prefix,
    read_envelope,
    typed_envelope,
)

from .application import Group


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

    __slots__ = ("data", "declaration", "envelope", "id", "key", "record", "source")

    def __init__(self, declaration: Declaration, envelope: Envelope, record: Original) -> None:
        self.declaration = declaration
        self.envelope = envelope
        self.record = record
        self.source: str = envelope["source"]
        self.id: str = envelope["id"]
        self.key: str | None = envelope.get("partitionkey") or _message_key(record)
        self.data: Signal = envelope["data"]

    @property
    def event_id(self) -> tuple[str, str]:
        return (self.source, self.id)

    @property
    def event(self) -> Event[Any]:
        return event_of(self.declaration, self.envelope)


class Reader:
    """Decodes what a group handles; made once for each worker."""

    def __init__(self, group: Group) -> None:
        self._declarations = {d.name: d for d in group.declarations}
        self._decoders = [(prefix(d.name), d, envelope_decoder(d)) for d in group.declarations]
        self._prefixes = tuple(prefix(d.name) for d in group.declarations)

    def select(self, records: Sequence[Record]) -> list[Record]:
        """The records that may be the group's: its signals, and whatever is not in our own form."""
        wanted = self._prefixes
        try:
            return [
                record
                for value, record in zip([r.value() for r in records], records, strict=True)
                if value.startswith(wanted) or not value.startswith(CANONICAL)  # type: ignore[union-attr]
            ]
        except AttributeError:  # a record without a value among them
            return [
                r
                for r in records
                if (v := r.value()) is None or v.startswith(wanted) or not v.startswith(CANONICAL)
            ]

    def read(self, record: Original) -> Taken | None:
        """Decode one record; None for another group's. Raises `Undecodable`."""
        value = record.value()
        if value is not None:
            for head, declaration, decoder in self._decoders:
                if value.startswith(head):
                    try:
                        return _checked(Taken(declaration, decoder(value), record), value)
                    except ValidationError:
                        break  # the full path finds the reason, in one line
        raw = read_envelope(value, record.headers(), record.key())
        foreign = self._declarations.get(raw.signal)
        return None if foreign is None else Taken(foreign, typed_envelope(raw, foreign), record)


def _message_key(record: Original) -> str | None:
    """The key of an event that does not say it itself; another producer's."""
    key = record.key()
    return key.decode(errors="replace") if key else None


def _checked(taken: Taken, value: bytes) -> Taken:
    """Only a long value can hold a text too long for an index, and only an escape a NUL."""
    if len(value) > 400 or b"\\u0000" in value:
        check_text(taken.declaration, taken.envelope)
    return taken
