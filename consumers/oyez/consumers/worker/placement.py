"""Whether events are in the partitions to which their keys belong: else one key has no order.

Some events of some batches are looked at. What is found is said once for each source, and counted in the database.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from oyez.producers.partitioning import partition_of

from ..core.record import Record
from ..database.clock import Clock
from ..database.engine import Database
from ..database.misplaced import Misplaced, add
from ..execution.reader import Taken
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..logs.log import CountsPartitions, Log
from ..partitions.partitioners import Placed, advice_for, was_resized

LOOKS = 32
"""Events of a batch that are looked at, about."""
EVERY = 60.0  # s; between two writes
SOURCES = 1_000
"""Sources that are told apart; more are not looked at."""
ENOUGH = 3
"""Events elsewhere before anything is said."""
KEPT = 64
"""Places of a source by which it is told how it chooses."""

Source = tuple[str, str]
"""A topic and a source."""


class Found(NamedTuple):
    """An event that is not where it belongs."""

    source: Source
    placed: Placed


class Placement:
    """Looks at the events of one worker. ``timer`` counts seconds."""

    def __init__(
        self, group: str, log: Log, instrument: Instrument, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._group = group
        self._log = log if isinstance(log, CountsPartitions) else None
        self._emit = instrument.emit
        self._timer = timer
        self._told: set[Source] = set()
        self._seen: dict[Source, list[Placed]] = {}
        self._uncounted: Counter[Source] = Counter()
        self._found: dict[Source, Misplaced] = {}
        self._write_at = float("-inf")

    def look(self, taken: Sequence[Taken]) -> None:
        """Look at some of these events."""
        if self._log is None:
            return
        some = taken[:: max(1, len(taken) // LOOKS)]
        topics = {cast("Record", one.record).topic() for one in some}
        counts = {topic: self._log.partition_count(topic) for topic in topics}
        for one in some:
            found = _misplaced(one, counts)
            if found is not None:
                self._keep(*found)
        for source, count in list(self._uncounted.items()):
            if count >= ENOUGH or source in self._told:
                self._tell(source, count)

    def is_due(self) -> bool:
        """Whether something was found that is to be written by now."""
        return bool(self._found) and self._timer() >= self._write_at

    def write(self, database: Database, clock: Clock) -> None:
        """Count what was found. Raises `DatabaseAway`; it is counted then when this is called again."""
        found = list(self._found.values())
        database.repeat(lambda db: add(db, self._group, found, clock(db)))
        self._found.clear()
        self._write_at = self._timer() + EVERY

    def _keep(self, source: Source, placed: Placed) -> None:
        if source not in self._seen and len(self._seen) >= SOURCES:
            return
        self._uncounted[source] += 1
        seen = self._seen.setdefault(source, [])
        if placed not in seen:
            seen.append(placed)
            del seen[:-KEPT]

    def _tell(self, source: Source, count: int) -> None:
        """Count it, unless it is where it belonged before the topic had so many partitions."""
        seen = self._seen[source]
        if was_resized(seen):
            return
        del self._uncounted[source]
        one, advice = seen[-1], advice_for(seen)
        before = self._found.get(source)
        total = count + (before.count if before else 0)
        topic, name = source
        key = one.key.decode()
        self._found[source] = Misplaced(topic, name, total, key, one.partition, one.expected, advice)
        self._emit(events.EventsMisplaced(self._group, count))
        if source not in self._told:
            self._told.add(source)
            self._emit(
                events.KeysElsewhere(self._group, name, topic, key, one.partition, one.expected, advice)
            )


def _misplaced(taken: Taken, counts: Mapping[str, int | None]) -> Found | None:
    """What is to be said of an event; None if it is where it belongs, or that is not known."""
    key, record = taken.key, cast("Record", taken.record)
    count = counts[record.topic()]
    if key is None or count is None or record.partition() >= count:
        return None
    placed = Placed(key.encode(), record.key(), record.partition(), count)
    if not placed.is_elsewhere or _is_consistent(placed):
        return None
    return Found((record.topic(), taken.source), placed)


def _is_consistent(placed: Placed) -> bool:
    """Whether the record is where its Kafka key belongs, which is no text: a number, a UUID. It stands for the key that
    is in the data."""
    written = placed.record_key
    if written is None or written == placed.key:
        return False
    return not _is_text(written) and placed.partition == partition_of(written, placed.partitions)


def _is_text(key: bytes) -> bool:
    """Whether it is one that a database keeps: with a NUL it is none."""
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in key
