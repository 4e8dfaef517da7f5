"""Saying what of a log has stalled."""

from __future__ import annotations

from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..logs.log import Log, LogError
from ..partitions.ownership import Ownership


def tell_stalls(log: Log, ownership: Ownership, group: str, instrument: Instrument) -> None:
    """Say what has stalled, and what was done about it. Raises `LogError` where nothing but a new process helps."""
    for one in log.look_for_stalls():
        where = (one.partition.topic, one.partition.number, one.position, one.end)
        instrument.emit(events.PartitionStalled(group, *where, one.remedy))
        ownership.trouble(LogError(one.why))
        if one.remedy == "restart":
            raise LogError(one.why)
