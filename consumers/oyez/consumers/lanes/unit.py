"""What one lane runs, and how what is due is dealt to lanes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from ..database.key_heads import HandlerKey
from ..database.parked_row import Candidate

QUICK = 0.01  # s; a transaction that took less may be followed by one of twice as many rows
MOST = 64  # rows of a transaction
NO_LIMIT = sys.maxsize
RUN = 16  # rows of a key that are run one after another in one lane


class Unit(NamedTuple):
    """Rows for one lane: the number of their start note, their ids, how many of them are run in one transaction, their
    keys, and how often workers have died on them."""

    number: int
    ids: tuple[int, ...]
    size: int
    keys: frozenset[HandlerKey]
    unfinished: int = 0

    def parts(self) -> Iterator[tuple[tuple[int, ...], bool]]:
        """What is run in each transaction, and whether it is the last."""
        for at in range(0, len(self.ids), self.size):
            yield self.ids[at : at + self.size], at + self.size >= len(self.ids)


class Busy(NamedTuple):
    """What runs already, or is about to, by ids and by keys: it is not to be run by another lane."""

    ids: AbstractSet[int] = frozenset()
    keys: AbstractSet[HandlerKey] = frozenset()


class Room(NamedTuple):
    """For how much there is room: so many units, of transactions of ``size`` rows, and ``most`` rows in all."""

    units: int
    size: int
    most: int = NO_LIMIT

    @property
    def rows(self) -> int:
        return min(self.most, self.units * max(self.size, RUN))


def deal(rows: Sequence[Candidate], busy: Busy, room: Room) -> list[list[Candidate]]:
    """Deal rows to units. All rows of a key go to one of them, in their order; what is behind more than that may have
    is left, and so is what workers have died on, with what is behind it. Rows of several keys share a unit only where
    it is run in one transaction."""
    size = room.size
    most = size if size > 1 else RUN
    dealt: list[list[Candidate]] = []
    places: dict[HandlerKey, list[Candidate]] = {}
    for row in _free(rows, busy):
        key = key_of(row)
        unit = None if key is None else places.get(key)
        if unit is None and dealt and len(dealt[-1]) < size:
            unit = dealt[-1]
        if unit is None:
            if len(dealt) == room.units:
                continue
            dealt.append(unit := [])
        if key is not None:
            places[key] = unit
        if len(unit) < most:
            unit.append(row)
    return dealt


def _free(rows: Sequence[Candidate], busy: Busy) -> list[Candidate]:
    free = [row for row in rows if row.id not in busy.ids and key_of(row) not in busy.keys]
    held = {key_of(row) for row in free if is_suspected(row)} - {None}
    return [row for row in free if not is_suspected(row) and key_of(row) not in held]


def is_suspected(row: Candidate) -> bool:
    """Whether a worker has died while it ran the row, perhaps with others beside it."""
    return row.starts > 0


def key_of(row: Candidate) -> HandlerKey | None:
    """The (handler, key) in whose order a row is handled, if it is."""
    return (row.handler, row.key_text) if row.ordered and row.key_text is not None else None


def next_size(size: int, rows: int, seconds: float) -> int:
    """How many rows the next transactions may have, after one of so many that took so long: it is to be over soon,
    since whoever is in it waits for all of it."""
    if seconds > QUICK:
        return max(1, min(size, rows // 2))
    return min(MOST, size * 2) if rows >= size else size
