"""What one lane runs in one transaction, and how what is due is dealt to lanes."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from ..database.key_heads import HandlerKey
from ..database.parked_row import Candidate

QUICK = 0.01  # s; a unit that took less may be followed by one of twice the size
MOST = 64  # rows of a unit


class Unit(NamedTuple):
    """Rows for one lane: the number of their start note, their ids, their keys, and how often workers have died on
    them."""

    number: int
    ids: tuple[int, ...]
    keys: frozenset[HandlerKey]
    unfinished: int = 0


class Busy(NamedTuple):
    """What runs already, by ids and by keys: it is not to be run by another lane."""

    ids: AbstractSet[int] = frozenset()
    keys: AbstractSet[HandlerKey] = frozenset()


def deal(rows: Sequence[Candidate], busy: Busy, lanes: int, size: int) -> list[list[Candidate]]:
    """Deal rows to so many ``lanes``, ``size`` each at most. All rows of a key go to one of them, in their order; what
    is behind more than a lane may have is left, and so is what workers have died on, with what is behind it."""
    free = [row for row in rows if row.id not in busy.ids and key_of(row) not in busy.keys]
    held = {key_of(row) for row in free if is_suspected(row)}
    free = [row for row in free if not is_suspected(row) and (key_of(row) is None or key_of(row) not in held)]
    dealt: list[list[Candidate]] = []
    places: dict[HandlerKey, list[Candidate]] = {}
    for row in free:
        key = key_of(row)
        unit = None if key is None else places.get(key)
        if unit is None:
            unit = dealt[-1] if dealt and len(dealt[-1]) < size else None
            if unit is None:
                if len(dealt) == lanes:
                    continue
                unit = []
                dealt.append(unit)
            if key is not None:
                places[key] = unit
        if len(unit) < size:
            unit.append(row)
    return dealt


def is_suspected(row: Candidate) -> bool:
    """Whether a worker has died while it ran the row, perhaps with others beside it."""
    return row.starts > 0


def key_of(row: Candidate) -> HandlerKey | None:
    """The (handler, key) in whose order a row is handled, if it is."""
    return (row.handler, row.key_text) if row.ordered and row.key_text is not None else None


def next_size(size: int, rows: int, seconds: float) -> int:
    """How many rows the next units may have, after one of so many that took so long: a unit is to be over soon, since
    whoever is in it waits for all of it."""
    if seconds > QUICK:
        return max(1, min(size, rows // 2))
    return min(MOST, size * 2) if rows >= size else size
