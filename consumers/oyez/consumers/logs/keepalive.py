"""A log that is polled while its worker is busy: a group throws out a member that does not poll."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from ..core.record import Record
from ..database.positions import Partition
from .group_offsets import FirstOffset, GroupOffsets
from .log import CountsPartitions, Log, Stalled, Standing

AFTER = 1.0  # s without a poll; a batch that takes longer costs the log a pause, which is not free
LOOK = 0.25  # s


class LockedOffsets:
    """A `GroupOffsets` that is asked while a lock is held."""

    def __init__(self, offsets: GroupOffsets, lock: threading.Lock) -> None:
        self._offsets = offsets
        self._lock = lock

    def siblings(self, partition: Partition) -> list[Partition]:
        with self._lock:
            return self._offsets.siblings(partition)

    def first_offset(self, partition: Partition, first: FirstOffset) -> int:
        with self._lock:
            return self._offsets.first_offset(partition, first)

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        with self._lock:
            return self._offsets.committed(partitions)

    def commit(self, positions: Mapping[Partition, int], promise: str) -> Collection[Partition]:
        with self._lock:
            return self._offsets.commit(positions, promise)

    def commit_now(self) -> None:
        with self._lock:
            self._offsets.commit_now()


class KeepAlive:
    """A `Log` with a watchdog: a thread that polls it, paused, when its worker has not done so for a second.

    Every call holds one lock, so that the log is never used by two threads at once. Partitions may be assigned and
    taken away in the watchdog's poll, as in the worker's own.
    """

    def __init__(
        self, log: Log, *, after: float = AFTER, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._after = after
        self._clock = clock
        self._lock = threading.Lock()
        self.offsets = LockedOffsets(log.offsets, self._lock)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._polled = clock()
        self._error: BaseException | None = None

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="oyez-watchdog", daemon=True)
            self._thread.start()
        with self._lock:
            self._raise_kept()
            records = self._log.poll(limit, wait)
            self._polled = self._clock()
            return records

    def gained(self) -> list[Partition]:
        with self._lock:
            return self._log.gained()

    def start(self, positions: Mapping[Partition, int]) -> None:
        with self._lock:
            self._log.start(positions)

    def leave(self, partition: Partition) -> None:
        with self._lock:
            self._log.leave(partition)

    def out_of_range(self) -> dict[Partition, int]:
        with self._lock:
            return self._log.out_of_range()

    def positions(self) -> dict[Partition, int]:
        with self._lock:
            return self._log.positions()

    def partition_count(self, topic: str) -> int | None:
        with self._lock:
            return self._log.partition_count(topic) if isinstance(self._log, CountsPartitions) else None

    def lags(self) -> dict[Partition, int]:
        with self._lock:
            return self._log.lags()

    def is_settled(self) -> bool:
        with self._lock:
            return self._log.is_settled()

    def count(self, partition: Partition, position: int) -> int:
        with self._lock:
            return self._log.count(partition, position)

    def look_for_stalls(self) -> Sequence[Stalled]:
        with self._lock:
            return self._log.look_for_stalls()

    def standing(self) -> Standing:
        with self._lock:
            return self._log.standing()

    def idle(self) -> None:
        with self._lock:
            self._log.idle()

    def hold_back(self, partitions: AbstractSet[Partition]) -> None:
        with self._lock:
            self._log.hold_back(partitions)

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._log.close()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK):
            with self._lock:
                if self._clock() - self._polled >= self._after and self._error is None:
                    self._attend()

    def _attend(self) -> None:
        try:
            self._log.idle()
        except BaseException as error:  # noqa: BLE001 # the worker's next poll raises it
            self._error = error

    def _raise_kept(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
