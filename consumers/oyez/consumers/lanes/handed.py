"""Rows that one worker has just parked for the lanes of a handler: they need be neither looked for nor read back.

Nothing of this has to be true: a claim looks at each row. What is wrong costs a claim that finds nothing, and is
forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from ..database.key_heads import HandlerKey
from ..database.parked_row import Candidate
from ..execution.fresh import Fresh
from .lane import Ran
from .unit import Busy, key_of

MOST = 10_000
"""Rows that are kept at most."""
LARGEST = 32_000_000
"""Bytes that their events may have together, about."""
STALE = 60.0
"""Seconds after which a row is most likely another worker's, should there be no room."""


class Handed:
    """Those of one handler, in the order of the log. Many threads may use it."""

    def __init__(self, most: int = MOST, largest: int = LARGEST) -> None:
        """``most``: how many rows are kept, with events of ``largest`` bytes together."""
        self._most = most
        self._largest = largest
        self._lock = threading.Lock()
        self._rows: dict[int, Fresh] = {}
        self._waiting: dict[int, Candidate] = {}
        self._size = 0
        self._newest = 0
        self._early: set[int] = set()
        """Taken by whoever has looked, before they were added."""
        self._closed: set[HandlerKey] = set()
        """Keys of which a row is missing here: what is behind it is not run before somebody has looked."""

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def has_waiting(self) -> bool:
        """Whether some of them have not been taken."""
        return bool(self._waiting)

    def holds(self, ids: Iterable[int]) -> bool:
        """Whether all of these are here."""
        return all(one in self._rows for one in ids)

    def covers(self, ids: Iterable[int]) -> bool:
        """Whether all of these are here, or younger than what is: then they may be about to be added."""
        return all(one in self._rows or one > self._newest for one in ids)

    def add(self, rows: Iterable[Fresh]) -> None:
        """These have been parked, and that is committed. What there is no room for is not kept."""
        with self._lock:
            for row in rows:
                self._add(row)
            self._early = {one for one in self._early if one > self._newest}

    def waiting(self, busy: Busy, most: int, left: AbstractSet[str]) -> list[Candidate]:
        """So many at most that may be run beside what is ``busy``, without the keys that are ``left``."""
        found: list[Candidate] = []
        with self._lock:
            for one in self._waiting.values():
                if key_of(one) not in busy.keys and one.id not in busy.ids and one.key_text not in left:
                    found.append(one)
                    if len(found) == most:
                        break
        return found

    def take(self, ids: Sequence[int]) -> Mapping[int, Fresh]:
        """These are about to be run: what is known of them; nothing unless that is of all."""
        with self._lock:
            for one in ids:
                self._waiting.pop(one, None)
            self._early.update(one for one in ids if one > self._newest)
            return {one: self._rows[one] for one in ids} if self.holds(ids) else {}

    def end(self, ids: Iterable[int], keys: AbstractSet[HandlerKey], ran: Ran) -> None:
        """These have run. What there was no time for waits again. Otherwise, if not all of them are done, whatever is
        here of their ``keys`` is behind something else."""
        left = set(ran.left)
        with self._lock:
            for one in ids:
                if one not in left:
                    self._forget(one)
            if left:
                again = {one: _candidate(self._rows[one]) for one in left if one in self._rows}
                self._waiting = dict(sorted({**self._waiting, **again}.items()))
            elif not ran.is_done:
                self._close(keys)

    def _add(self, row: Fresh) -> None:
        key, self._newest = row.delivery.ordered_key, max(self._newest, row.id)
        if self._is_full():
            self._forget_older(row.columns["parked_at"] - STALE)
        if self._is_full():
            self._close({key} if key is not None else set())
            return
        if row.is_due:
            self._closed.discard(key)
        self._rows[row.id] = row
        self._size += _size(row)
        if key not in self._closed and row.id not in self._early:
            self._waiting[row.id] = _candidate(row)

    def _is_full(self) -> bool:
        return len(self._rows) >= self._most or self._size >= self._largest

    def _forget_older(self, then: float) -> None:
        while self._rows:
            oldest = next(iter(self._rows.values()))
            if oldest.columns["parked_at"] >= then:
                return
            self._forget(oldest.id)

    def _close(self, keys: AbstractSet[HandlerKey]) -> None:
        if not keys <= self._closed:
            for one in [one.id for one in self._waiting.values() if key_of(one) in keys]:
                del self._waiting[one]
        if len(self._closed) >= self._most:
            self._closed.clear()
        self._closed |= keys

    def _forget(self, number: int) -> None:
        self._waiting.pop(number, None)
        row = self._rows.pop(number, None)
        if row is not None:
            self._size -= _size(row)


def _candidate(row: Fresh) -> Candidate:
    columns = row.columns
    place = (columns["rank"], columns["ordered"], columns["due_at"])
    return Candidate(row.id, columns["handler"], columns["key"], *place, 0)


def _size(row: Fresh) -> int:
    return len(row.columns["value"] or b"")
