"""Events as they pass in a log, whoever reads them besides."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from oyez.producers.spool.blanks import SIGNAL as FORGOTTEN
from oyez.schemas import Undecodable
from oyez.schemas.foreign import read_envelope
from oyez.schemas.modes import RawEnvelope

from ..core.record import Record
from ..logs.tail import Tail

WIDER = 8
"""How much further back is looked, when too few were found."""
HEADER = "ce_"
"""What the names of headers begin with that are attributes of an event in binary mode."""
FIRST = ("specversion", "type", "source", "id", "time", "partitionkey", "subject")
"""The attributes that stand before others."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Passing:
    """A record: where it is, and the event in it, with its time (aware), as a CloudEvent; or why there is none."""

    topic: str
    partition: int
    position: int
    signal: str | None = None
    source: str | None = None
    event_id: str | None = None
    at: datetime | None = None
    key: str | None = None
    subject: str | None = None
    data: Any = None
    event: dict[str, Any] | None = None
    undecodable: str | None = None


@dataclass(frozen=True)
class Wanted:
    """Which events: of these signals (none: of all), of this key, of this source, not older than ``since``."""

    signals: Collection[str] = ()
    key: str | None = None
    source: str | None = None
    since: datetime | None = None

    def has(self, one: Passing) -> bool:
        """What is no event is wanted where nothing is asked for that it lacks; what was forgotten never is."""
        if one.undecodable is not None:
            return not self.signals and self.key is None and self.source is None
        return (
            one.signal != FORGOTTEN
            and (not self.signals or one.signal in self.signals)
            and (self.key is None or one.key == self.key)
            and (self.source is None or one.source == self.source)
            and (self.since is None or one.at is None or one.at >= self.since)
        )


def passing(records: Iterable[Record], wanted: Wanted) -> Iterator[Passing]:
    """Those of these records that are wanted."""
    return (one for one in map(_of, records) if wanted.has(one))


def last(tail: Tail, count: int, wanted: Wanted) -> tuple[list[Passing], dict[Any, int]]:
    """The last ``count`` events that are wanted, by their times, and where each partition goes on after that. Only of
    as much is read as is needed: from the end back, further and further."""
    ends = tail.ends()
    found = [
        one
        for partition, (low, high) in ends.items()
        for one in _last_of(tail, partition, low, high, count, wanted)
    ]
    found.sort(key=lambda one: one.at or LONG_AGO)
    return found[-count:], {partition: high for partition, (_, high) in ends.items()}


def _last_of(tail: Tail, partition: Any, low: int, high: int, count: int, wanted: Wanted) -> list[Passing]:
    window = count
    while True:
        begin = max(low, tail.before(partition, high, window))
        found = deque(passing(tail.read(partition, begin, high), wanted), maxlen=count)
        if len(found) == count or begin <= low:
            return list(found)
        window *= WIDER


def _of(record: Record) -> Passing:
    place = record.topic(), record.partition(), record.offset()
    try:
        raw = read_envelope(record.value(), record.headers(), record.key())
    except Undecodable as error:
        return Passing(*place, undecodable=error.reason)
    event = from_json(raw.body) if raw.wrapped else _structured(record, raw)
    return Passing(
        *place, raw.signal, raw.source, raw.id, _time(raw.time), raw.key, raw.subject, raw.data, event
    )


def _structured(record: Record, raw: RawEnvelope) -> dict[str, Any]:
    """An event in binary mode as it would be in structured mode, with all its attributes, whoever knows them."""
    said: dict[str, Any] = {"partitionkey": raw.key}
    for name, value in record.headers() or ():
        if name.lower().startswith(HEADER) and value is not None:
            said[name.lower().removeprefix(HEADER)] = value.decode(errors="replace")
    first = {name: said.pop(name, None) for name in FIRST}
    return {name: value for name, value in (first | said).items() if value is not None} | {"data": raw.data}


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
