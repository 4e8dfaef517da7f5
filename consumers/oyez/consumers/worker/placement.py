"""Whether events are in the partitions to which their keys belong: else one key has no order.

Some events of some batches are looked at. What is found is said once for each source, and counted in the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from oyez.producers.partitioning import partition_of

from ..core.record import Record
from ..database.clock import Clock
from ..database.engine import Database
from ..database.misplaced import Misplaced, add
from ..execution.reader import Taken
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..logs.log import CountsPartitions, Log

LOOKS = 32
"""Events of a batch that are looked at, about."""
EVERY = 60.0  # s; between two writes
SOURCES = 1_000
"""Sources that are told apart; more are not looked at."""


class Placement:
    """Looks at the events of one worker. ``timer`` counts seconds."""

    def __init__(
        self, group: str, log: Log, instrument: Instrument, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._group = group
        self._log = log if isinstance(log, CountsPartitions) else None
        self._emit = instrument.emit
        self._timer = timer
        self._told: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], Misplaced] = {}
        self._write_at = float("-inf")

    def look(self, taken: Sequence[Taken]) -> None:
        """Look at some of these events."""
        if self._log is None:
            return
        some = taken[:: max(1, len(taken) // LOOKS)]
        topics = {cast("Record", one.record).topic() for one in some}
        counts = {topic: self._log.partition_count(topic) for topic in topics}
        found = [one for one in (_misplaced(one, counts) for one in some) if one is not None]
        for one in found:
            self._keep(one)
        if found:
            self._emit(events.EventsMisplaced(self._group, len(found)))

    def is_due(self) -> bool:
        """Whether something was found that is to be written by now."""
        return bool(self._found) and self._timer() >= self._write_at

    def write(self, database: Database, clock: Clock) -> None:
        """Count what was found. Raises `DatabaseAway`; it is counted then when this is called again."""
        found = list(self._found.values())
        database.repeat(lambda db: add(db, self._group, found, clock(db)))
        self._found.clear()
        self._write_at = self._timer() + EVERY

    def _keep(self, one: Misplaced) -> None:
        place = (one.topic, one.source)
        if place not in self._told:
            if len(self._told) >= SOURCES:
                return
            self._told.add(place)
            self._emit(
                events.KeysElsewhere(self._group, one.source, one.topic, one.key, one.partition, one.belongs)
            )
        before = self._found.get(place)
        self._found[place] = one if before is None else replace(one, count=before.count + 1)


def _misplaced(taken: Taken, counts: Mapping[str, int | None]) -> Misplaced | None:
    """What is to be said of an event; None if it is where it belongs, or that is not known."""
    key, record = taken.key, cast("Record", taken.record)
    count = counts[record.topic()]
    if key is None or count is None or record.partition() >= count:
        return None
    belongs = partition_of(key.encode(), count)
    if record.partition() == belongs or _is_consistent(record, key, count):
        return None
    return Misplaced(record.topic(), taken.source, 1, key, record.partition(), belongs)


def _is_consistent(record: Record, key: str, count: int) -> bool:
    """Whether the record is where its Kafka key belongs, which is no text: a number, a UUID. It stands for the key that
    is in the data."""
    written = record.key()
    if written is None or written == key.encode():
        return False
    try:
        written.decode()
    except UnicodeDecodeError:
        return record.partition() == partition_of(written, count)
    return b"\0" in written and record.partition() == partition_of(written, count)
