"""What the log says of what is left for a worker, and whether that one has read on."""

from __future__ import annotations

from collections.abc import Mapping

from ..database.positions import Partition
from ..instrumentation.events import LogAsked
from ..logs.log import Log, Standing

PAUSED = Standing("done", "the group is paused: oyez pause says why")


class Asking:
    """Remembers how far a worker of this group has read."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._furthest: dict[Partition, int] = {}

    def ask(self, log: Log, halted: Mapping[Partition, str], *, is_paused: bool) -> LogAsked:
        """What is to be told. To read again what was read is not to read on. A group that is paused has nothing to do,
        whatever the log has."""
        positions = log.positions()
        has_moved = any(at > self._furthest.get(p, -1) for p, at in positions.items())
        self._furthest = {p: max(at, self._furthest.get(p, -1)) for p, at in positions.items()}
        lines = tuple(
            f"{p.topic} partition {p.number} is not read any more: {why}" for p, why in halted.items()
        )
        standing = PAUSED if is_paused else log.standing()
        return LogAsked(self._group, standing.said, standing.why, has_moved, lines)
