"""The partitions in which workers have died: so many of the next events of each are handled alone.

Each has a count of its own. The client may have a thousand events of one partition in front of the first of another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..core.record import Record
from ..database.positions import Partition


class Alone:
    """Counts, for one worker, how many events are left of each partition. As long as there is any, one record is polled
    at a time."""

    def __init__(self, each: int) -> None:
        """``each``: events of a partition, as many as may have been in the batch that the workers died in."""
        self._each = each
        self.left: dict[Partition, int] = {}

    def begin(self, partitions: Iterable[Partition]) -> None:
        """Workers have died without getting on in these."""
        self.left.update(dict.fromkeys(partitions, self._each))

    def keep(self, held: Collection[Partition], lags: Mapping[Partition, int]) -> None:
        """Drop those that are not held any more, and those with nothing left: the next worker that dies there finds
        in them what it died on."""
        self.left = {p: left for p, left in self.left.items() if p in held and lags.get(p) != 0}

    def is_lone(self, records: Collection[Record]) -> bool:
        """Whether this is one record, of such a partition."""
        return len(records) == 1 and any(map(self._of, records))

    def count(self, record: Record) -> None:
        """One event of such a partition is about to be handled."""
        partition = self._of(record)
        if partition is not None:
            self.left[partition] -= 1
            if not self.left[partition]:
                del self.left[partition]

    def _of(self, record: Record) -> Partition | None:
        where = record.topic(), record.partition()
        return next((one for one in self.left if (one.topic, one.number) == where), None)
