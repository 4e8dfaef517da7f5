"""Dealing rows to lanes: each once, those of a key together and in order, and nothing that is busy or suspected."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.database.parked_row import Candidate
from oyez.consumers.lanes.unit import (
    FEW,
    FEWEST,
    LARGE,
    MOST,
    RUN,
    Busy,
    Room,
    Unit,
    deal,
    has_suspected,
    is_suspected,
    key_of,
    next_size,
    useful,
)


def candidate(number: int, key: str | None, starts: int) -> Candidate:
    return Candidate(number, "h", key, 0, key is not None, 0.0, starts)


rows = st.lists(
    st.tuples(st.sampled_from([None, "a", "b", "c", "d"]), st.sampled_from([0, 0, 0, 0, 0, 1, 3])),
    max_size=60,
).map(lambda said: [candidate(n, *one) for n, one in enumerate(said)])
rooms = st.builds(Room, st.integers(0, 5), st.sampled_from([1, 2, 8, 64]))
busy = st.builds(
    Busy, st.frozensets(st.integers(0, 59)), st.frozensets(st.sampled_from([("h", "a"), ("h", "b")]))
)


@given(rows, busy, rooms)
def test_what_is_dealt(found: list[Candidate], held: Busy, room: Room) -> None:
    dealt = deal(found, held, room)
    assert len(dealt) <= room.units
    ids = [row.id for unit in dealt for row in unit]
    assert len(ids) == len(set(ids)), "a row is dealt twice"
    assert not set(ids) & held.ids
    for unit in dealt:
        keys = {key_of(row) for row in unit} - {None}
        assert not keys & held.keys
        assert len(unit) <= (room.size if room.size > 1 else RUN)
        assert room.size > 1 or len(unit) == 1 or (len(keys) == 1 and all(map(key_of, unit)))
    placed = [(key, at) for at, unit in enumerate(dealt) for key in {key_of(row) for row in unit} - {None}]
    assert len(placed) == len(dict(placed)), "a key is in two lanes"


@given(rows, rooms, st.frozensets(st.integers(0, 59), min_size=1))
def test_what_may_hang_has_a_unit_to_itself(
    found: list[Candidate], room: Room, alone: frozenset[int]
) -> None:
    dealt = deal(found, Busy(), room._replace(alone=alone))
    assert all(len(unit) == 1 for unit in dealt if alone & {row.id for row in unit})


@given(rows, rooms)
def test_of_a_key_nothing_is_left_out_in_between(found: list[Candidate], room: Room) -> None:
    """What is dealt of a key is what comes first of it, in its order; nothing that is suspected, nor behind that."""
    dealt = [row for unit in deal(found, Busy(), room) for row in unit if key_of(row)]
    for key, ours in groupby(sorted(dealt, key=lambda row: (row.key_text or "", 0)), key=key_of):
        of_key = [row for row in found if key_of(row) == key]
        mine = list(ours)
        assert mine == of_key[: len(mine)]
        assert not any(map(is_suspected, mine))


@given(rows)
def test_a_head_is_dealt_whatever_is_behind_it(found: list[Candidate]) -> None:
    """Nobody else would ever run it: what is suspected behind it waits for it."""
    heads = {key_of(row): row for row in reversed(found) if key_of(row)}
    dealt = {row.id for unit in deal(found, Busy(), Room(60, 64)) for row in unit}
    assert dealt.issuperset(row.id for row in heads.values() if not is_suspected(row))
    first = [row for row in found if heads.get(key_of(row), row) is row]
    assert has_suspected(found) == any(map(is_suspected, first)), "what is behind another one is not its turn"


def test_all_is_dealt_where_there_is_room() -> None:
    found = [candidate(n, f"k{n % 7}" if n % 2 else None, 0) for n in range(60)]
    dealt = deal(found, Busy(), Room(60, 64))
    assert sorted(row.id for unit in dealt for row in unit) == list(range(60))


@given(st.integers(1, MOST), st.integers(1, MOST), st.floats(0, 10))
def test_transactions_grow_while_they_are_quick(size: int, count: int, seconds: float) -> None:
    following = next_size(size, count, seconds)
    assert 1 <= following <= MOST
    assert following <= size or seconds <= max(0.01, 0.001 * count)
    assert following <= max(size, LARGE) or seconds <= 0.01


def test_one_that_had_to_wait_says_little() -> None:
    """A single row of a time when each was alone; its thread may have waited for a processor."""
    assert next_size(MOST, 1, 0.05) == MOST // 2
    assert next_size(MOST, 1, 1.0) == 1


@given(st.integers(1, 40), st.lists(st.integers(1, MOST), min_size=40, max_size=40))
def test_what_was_chosen_goes_on_in_larger_transactions(count: int, sizes: list[int]) -> None:
    unit, following = Unit(0, tuple(range(count)), 2, frozenset()), iter(sizes)
    parts = list(unit.parts(lambda: next(following)))
    assert [one for part in parts for one in part] == list(range(count))
    assert all(len(part) == max(2, size) for part, size in zip(parts[:-1], sizes, strict=False)), (
        "but for the last one"
    )


def test_a_quick_handler_uses_few_lanes() -> None:
    assert useful(50, 1) == 50
    assert useful(50, LARGE) == FEW
    assert useful(2, LARGE) == 2
    assert useful(50, LARGE + 1) == useful(50, MOST) == FEWEST
    assert useful(1, MOST) == 1


@pytest.mark.parametrize(("each", "most"), [(1e-6, MOST), (0.0003, LARGE), (0.001, LARGE), (0.004, 4)])
def test_how_large_transactions_become(each: float, most: int) -> None:
    """Of a handler that always takes so long."""
    size, sizes = 1, set()
    for _ in range(20):
        sizes.add(size := next_size(size, size, size * each))
    assert size == max(sizes) == most
