"""That the exploration itself leaves out nothing but what is like something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count, cycle, permutations
from math import comb

import pytest

from support.exploring import explore
from support.footprints import Footprint
from support.stepping import Step

NOTHING: frozenset[str] = frozenset()


def _steps(actor: str, *rows: str) -> list[Step]:
    """Statements that each lock a row."""
    return [Step(actor, f"{actor}{at}", _locking(row)) for at, row in enumerate(rows)]


def _locking(row: str) -> Footprint:
    locks = frozenset({row} - {""})
    return Footprint(NOTHING, locks, locks)


def _explored(*actors: Sequence[Step]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def play(choose) -> None:  # type: ignore[no-untyped-def]
        left = [list(steps) for steps in actors]
        taken = []
        while possible := [steps[0] for steps in left if steps]:
            step = choose(possible)
            next(steps for steps in left if steps and steps[0] is step).pop(0)
            taken.append(step)
        found.append(tuple(step.what for step in taken))

    explored = explore(play)
    assert explored.runs == len(found) == len(set(found))
    return found


def test_all_orders_of_steps_that_all_meet() -> None:
    assert len(_explored(_steps("a", *"xxx"), _steps("b", *"xxx"))) == comb(6, 3)


def test_one_order_of_steps_that_never_meet() -> None:
    assert len(_explored(_steps("a", *"xxx"), _steps("b", *"yyy"), _steps("c", *"zzz"))) == 1


@pytest.mark.parametrize(
    "rows", [("xy", "yx", "z"), ("xyx", "yx"), ("x", "xy", "yz"), ("xz", "yz", "zz"), ("xyz", "zyx", "y")]
)
def test_every_order_is_like_one_that_was_run(rows: tuple[str, ...]) -> None:
    """Two orders are alike when every two steps that meet stand in the same order in both."""
    actors = [_steps(name, *its) for name, its in zip("abc", rows, strict=False)]
    steps = [step for its in actors for step in its]
    of = {step.what: step for step in steps}

    def likeness(order: Sequence[str]) -> frozenset[tuple[str, str]]:
        return frozenset(
            (one, other)
            for at, one in enumerate(order)
            for other in order[at + 1 :]
            if of[one].actor == of[other].actor or of[one].conflicts(of[other])
        )

    names = [[step.what for step in its] for its in actors]
    merges = {order for order in permutations(of) if all(_is_within(its, order) for its in names)}
    run = _explored(*actors)
    assert {likeness(order) for order in run} == {likeness(order) for order in merges}
    assert len({likeness(order) for order in run}) == len(run)


def test_a_run_that_strays_is_made_again() -> None:
    """One step lets two others go on; who of them is first is not said."""
    moods = cycle([False, True, True])
    found: Counter[tuple[str, ...]] = Counter()

    def play(choose) -> None:  # type: ignore[no-untyped-def]
        left = {"a": _steps("a", *"xx"), "b": _steps("b", *"xx")}
        mood, taken = next(moods), []
        while possible := [steps[0] for steps in left.values() if steps]:
            step = choose(possible[1:] if mood and taken == ["a0"] else possible)
            left[step.actor].pop(0)
            taken.append(step.what)
        found[tuple(taken)] += 1

    explored = explore(play)
    assert explored.strayed == found.total() - explored.runs > 0, "what strayed is taken to its end too"
    assert explored.runs == len(found) == comb(4, 2)


def test_a_run_that_never_repeats_itself() -> None:
    numbers = count()

    def play(choose) -> None:  # type: ignore[no-untyped-def]
        number = next(numbers)
        left = _steps(f"a{number}", "x") + _steps(f"b{number}", "x")
        while left:
            left.remove(choose(left))

    with pytest.raises(AssertionError, match="the run did not repeat itself"):
        explore(play)


def _is_within(steps: Sequence[str], order: Sequence[str]) -> bool:
    places = [order.index(step) for step in steps]
    return places == sorted(places)


def test_what_conflicts() -> None:
    reading = Step("a", "SELECT", Footprint(frozenset({"x"}), NOTHING, NOTHING))
    locking = Step("b", "UPDATE", _locking("x"))
    commit = Step("b", "COMMIT", Footprint(NOTHING, NOTHING, frozenset({"x"})), ends=True)
    assert not reading.conflicts(locking)
    assert reading.conflicts(commit)
    assert commit.conflicts(reading)
    assert locking._replace(actor="a").conflicts(locking)
    assert locking._replace(actor="a").conflicts(commit)
    assert not commit._replace(actor="a").conflicts(commit)


def test_a_whole_table_conflicts_with_each_of_its_rows() -> None:
    whole, row, other = (
        Step(name, "", _locking(f"t{of}")) for name, of in (("a", ""), ("b", " x"), ("c", " y"))
    )
    assert whole.conflicts(row)
    assert row.conflicts(whole)
    assert not row.conflicts(other)
    end = Step("d", "COMMIT", Footprint(NOTHING, NOTHING, frozenset({"t x"})), ends=True)
    assert end.conflicts(whole)
    assert whole.conflicts(end)
    assert not end.conflicts(other)
