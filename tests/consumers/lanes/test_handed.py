"""What a worker keeps of the rows that it has parked: never too much, and nothing that is known to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.execution.fresh import Fresh
from oyez.consumers.lanes.handed import Handed
from oyez.consumers.lanes.lane import Ran
from oyez.consumers.lanes.unit import Busy, Unit, key_of

MOST = 12
DONE = Ran(is_done=True)
ENDS: list[Callable[[tuple[int, ...]], Ran]] = [
    lambda _ids: Ran(),
    lambda _ids: DONE,
    lambda _ids: DONE,
    lambda ids: Ran(left=ids[1:]),
]


class _Delivery:
    """As much of one as is looked at."""

    def __init__(self, key: str | None) -> None:
        self.ordered_key = None if key is None else ("h", key)


def row(number: int, key: str | None, *, is_due: bool, parked_at: float = 0.0, size: int = 1) -> Fresh:
    delivery: Any = _Delivery(key)
    ordered = {"handler": "h", "key": key, "rank": 0, "ordered": key is not None}
    due = {"due_at": -1.0 if is_due else None, "parked_at": parked_at, "value": b"x" * size}
    return Fresh(number, delivery, {**ordered, **due})


def unit(ids: tuple[int, ...], keys: frozenset[tuple[str, str]]) -> Unit:
    return Unit(0, ids, 1, keys)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from([None, "a", "b", "c"]), st.booleans()),
        st.tuples(st.just("run"), st.integers(1, 4), st.booleans()),
    ),
    max_size=60,
)


@given(steps)
def test_what_is_offered(taken: list[tuple[str, Any, bool]]) -> None:
    handed, running, missed, last = Handed(MOST, 1000), list[Unit](), set[str](), 0
    for what, said, flag in taken:
        if what == "add":
            last += 1
            handed.add([row(last, said, is_due=flag)])
            missed -= {said} if flag else set()
        elif flag and running:
            ended = running.pop(0)
            handed.end(ended.ids, ended.keys, ENDS[said - 1](ended.ids))
            missed |= {key for _, key in ended.keys if said == 1}
        else:
            busy = Busy.of(running)
            found = handed.waiting(busy, said, frozenset({"c"}))
            assert len(found) <= said
            assert not {one.id for one in found} & busy.ids
            assert not {key_of(one) for one in found} & busy.keys
            assert not {one.key_text for one in found} & (missed | {"c"})
            assert [one.id for one in found] == sorted(one.id for one in found)
            keys = frozenset(key for one in found if (key := key_of(one)))
            running += [unit(tuple(one.id for one in found), keys)] if found else []
            assert all(handed.take(one.ids).keys() <= set(one.ids) for one in running)
        assert len(handed) <= MOST
    for one in running:
        handed.end(one.ids, one.keys, DONE)
    assert not {one for ended in running for one in ended.ids} & {
        one.id for one in handed.waiting(Busy(), MOST, frozenset())
    }


def test_there_is_a_limit_of_bytes() -> None:
    handed = Handed(1000, 100)
    handed.add([row(number, f"k{number}", is_due=True, size=60) for number in range(1, 10)])
    assert len(handed) == 2
    handed.end([1, 2], frozenset(), DONE)
    handed.add([row(20, "z", is_due=True, size=60)])
    assert len(handed) == 1


def test_behind_what_there_was_no_room_for_nothing_is_offered() -> None:
    handed = Handed(2, 1000)
    handed.add([row(1, "a", is_due=True), row(2, "b", is_due=True), row(3, "a", is_due=False)])
    handed.end([1], frozenset({("h", "a")}), DONE)
    handed.add([row(4, "a", is_due=False)])
    assert [one.id for one in handed.waiting(Busy(), 9, frozenset())] == [2]
    assert handed.take([4]), "it is known all the same, for whoever finds it"


def test_what_there_was_no_time_for_is_offered_again_in_its_place() -> None:
    handed = Handed(9, 1000)
    handed.add([row(number, "a", is_due=number == 1) for number in range(1, 6)])
    handed.take([1, 2, 3])
    handed.end([1, 2, 3], frozenset({("h", "a")}), Ran(left=[2, 3]))
    assert [one.id for one in handed.waiting(Busy(), 9, frozenset())] == [2, 3, 4, 5]


def test_what_was_found_before_it_was_handed_is_not_offered() -> None:
    handed = Handed(9, 1000)
    assert not handed.take([1, 2])
    handed.add([row(1, "a", is_due=True), row(2, "b", is_due=True), row(3, "c", is_due=True)])
    assert [one.id for one in handed.waiting(Busy(), 9, frozenset())] == [3]


def test_what_others_have_done_goes_when_room_is_needed() -> None:
    handed = Handed(2, 1000)
    handed.add([row(1, "a", is_due=True), row(2, "b", is_due=True, parked_at=50.0)])
    handed.add([row(3, "c", is_due=True, parked_at=100.0)])
    assert [one.id for one in handed.waiting(Busy(), 9, frozenset())] == [2, 3]
