"""What one lane runs, and how what is due is dealt to lanes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from ..database.key_heads import HandlerKey
from ..database.lane_claims import Wanted
from ..database.parked_row import Candidate
from ..execution.fresh import Fresh
from ..retry.retrying import ALONE

QUICK = 0.01  # s; a transaction that took less may be followed by one of twice as many rows
EACH = 0.001  # s; and so may one that took less for each of its rows
SLOW = 0.5  # s; after a transaction that took more, each event is alone again
LARGE = 64  # rows of a transaction, if it was `QUICK` only for so many rows
MOST = 256  # rows of a transaction
MANY = 16  # rows of a transaction, from which on the handler does next to nothing but keep a processor busy
FEW = 6  # lanes, for such a handler: more would wait for one another
FEWEST = 2  # lanes, for one that does nothing: one has the processor while the other waits for the database
NO_LIMIT = sys.maxsize
RUN = 16  # rows of a key that are run one after another in one lane


NOTHING: Mapping[str, int] = {}
UNKNOWN: Mapping[int, Fresh] = {}


class Unit(NamedTuple):
    """Rows for one lane: the number of their start note, their ids, how many of them are run in one transaction, their
    keys, how often workers have died on them, and whether they have failed before; ``loose`` are the keys whose order
    is not kept; ``fresh`` has what is known of the rows without reading them, by their ids, if that is of all."""

    number: int
    ids: tuple[int, ...]
    size: int
    keys: frozenset[HandlerKey]
    unfinished: int = 0
    is_failing: bool = False
    loose: tuple[str, ...] = ()
    fresh: Mapping[int, Fresh] = UNKNOWN

    def parts(self, size: Callable[[], int]) -> Iterator[tuple[int, ...]]:
        """What is run in each transaction: at least as many rows as when it was chosen, and more if transactions may
        have a greater ``size`` by then."""
        at = 0
        while at < len(self.ids):
            many = max(self.size, size())
            yield self.ids[at : at + many]
            at += many


class Busy(NamedTuple):
    """What runs already, or is about to, by ids and by keys: it is not to be run by another lane."""

    ids: AbstractSet[int] = frozenset()
    keys: AbstractSet[HandlerKey] = frozenset()
    counts: Mapping[str, int] = NOTHING
    """How many rows of each key run, of those whose order is not kept."""

    @classmethod
    def of(cls, units: Iterable[Unit]) -> Busy:
        """All that is in these units."""
        every = list(units)
        return cls(
            {one for unit in every for one in unit.ids},
            {key for unit in every for key in unit.keys},
            Counter(key for unit in every for key in unit.loose),
        )


class Room(NamedTuple):
    """For how much there is room: so many units, of transactions of ``size`` rows, and ``most`` rows in all;
    ``failing`` of the units may be of rows that have failed before, as long as others wait, and ``per_key`` rows of a
    key whose order is not kept may run at once. The rows that are to be run ``alone`` have a unit each."""

    units: int
    size: int
    most: int = NO_LIMIT
    failing: int = NO_LIMIT
    per_key: int = NO_LIMIT
    alone: AbstractSet[int] = frozenset()

    @property
    def wanted(self) -> Wanted:
        """How much is claimed for that."""
        heads = min(self.most, self.units * self.size)
        rows = min(self.most, self.units * max(self.size, RUN))
        return Wanted(heads, rows, min(heads, self.failing * self.size))


def deal(rows: Sequence[Candidate], busy: Busy, room: Room) -> list[list[Candidate]]:
    """Deal rows to units. All rows of a key go to one of them, in their order; what is behind more than that may have
    is left. Rows of several keys share a unit only where it is run in one transaction. What a worker has died on has a
    unit to itself, so that there is little beside it should it die again, and so has what may hang; what is suspected
    is left, with what is behind it."""
    dealt: list[list[Candidate]] = []
    places: dict[HandlerKey, list[Candidate]] = {}
    left: set[HandlerKey] = set()
    counts = Counter(busy.counts)
    for row in _free(rows, busy):
        key = key_of(row)
        if key in left or (key is None and counts[row.key_text or ""] >= room.per_key and row.key_text):
            continue
        unit = _unit_for(row, None if key is None else places.get(key), dealt, room)
        if unit is None:
            left |= {key} if key is not None else set()
            continue
        unit.append(row)
        counts[row.key_text or ""] += 1
        if key is not None:
            places[key] = unit
    return dealt


def _unit_for(
    row: Candidate, of_key: list[Candidate] | None, dealt: list[list[Candidate]], room: Room
) -> list[Candidate] | None:
    """Where a row goes: behind those of its key, or to others, or to a new one; None if it has to be left."""
    if of_key is not None:
        return of_key if _takes(of_key, row, _most(room.size), room.alone) else None
    if dealt and _takes(dealt[-1], row, room.size, room.alone):
        return dealt[-1]
    if len(dealt) == room.units:
        return None
    dealt.append([])
    return dealt[-1]


def _most(size: int) -> int:
    return size if size > 1 else RUN


def _takes(unit: Sequence[Candidate], row: Candidate, most: int, alone: AbstractSet[int]) -> bool:
    return len(unit) < most and not any(has_died(one) or one.id in alone for one in (unit[0], row))


def _free(rows: Sequence[Candidate], busy: Busy) -> list[Candidate]:
    """What neither runs nor is suspected, nor behind what is. What is before it goes: nothing else brings its turn."""
    found: list[Candidate] = []
    held: set[HandlerKey | None] = set()
    for row in rows:
        key = key_of(row)
        if row.id in busy.ids or key in busy.keys or key in held:
            continue
        if not is_suspected(row):
            found.append(row)
        elif key is not None:
            held.add(key)
    return found


def has_failed(row: Candidate) -> bool:
    """Whether a row is due because a time has come, as those are that failed before."""
    return row.due_at is not None and row.due_at >= 0.0


def has_died(row: Candidate) -> bool:
    """Whether a worker has died that was about to run the row, or ran it, most likely with others beside it."""
    return row.starts > 0


def is_suspected(row: Candidate) -> bool:
    """Whether so many have that it is run with nothing beside it."""
    return row.starts >= ALONE


def has_suspected(rows: Sequence[Candidate]) -> bool:
    """Whether one of these rows is suspected, and none of its key is before it."""
    if not any(map(is_suspected, rows)):
        return False  # as mostly: the keys are not looked at then
    first = {key_of(row) or row.id: row for row in reversed(rows)}
    return any(map(is_suspected, first.values()))


def key_of(row: Candidate) -> HandlerKey | None:
    """The (handler, key) in whose order a row is handled, if it is."""
    return (row.handler, row.key_text) if row.ordered and row.key_text is not None else None


def next_size(size: int, rows: int, seconds: float) -> int:
    """How many rows the next transactions may have, after one whose handlers took so long for so many: it is to be over
    soon, since whoever is in it waits for all of it."""
    quick = QUICK if size > LARGE else max(QUICK, EACH * rows)
    most = MOST if seconds <= QUICK else LARGE
    if seconds > SLOW:
        return 1
    if seconds > 2 * quick:
        return max(
            1, size // 2
        )  # not of `rows`: it may have been chosen long ago, or its thread have had to wait
    return min(most, size * 2) if seconds <= quick and rows >= size else size


def useful(lanes: int, size: int) -> int:
    """How many of a handler's lanes are used while its transactions have so many rows."""
    if size > LARGE:
        return min(lanes, FEWEST)
    return min(lanes, FEW) if size >= MANY else lanes
