"""That of actors who wait for one another's locks every order is explored, too, and no two that are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from support.exploring import Choose, explore
from support.footprints import Footprint
from support.stepping import COMMIT, Step

NOTHING: frozenset[str] = frozenset()
Order = frozenset[tuple[tuple[str, int], tuple[str, int]]]

statements = st.tuples(st.sampled_from(["read", "lock", "lock"]), st.sampled_from("xy"))


def transactions(most: int) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(statements, min_size=1, max_size=most).map(lambda these: [*these, (COMMIT, "")])


actors = st.lists(transactions(4), min_size=2, max_size=2) | st.lists(transactions(2), min_size=3, max_size=3)


class Locking:
    """Transactions on a database that has nothing but locks."""

    def __init__(self, programs: Sequence[Sequence[tuple[str, str]]]) -> None:
        self._left = {name: list(program) for name, program in zip("abc", programs, strict=False)}
        self._held: dict[str, str] = {}
        self._queue: list[tuple[str, str]] = []
        self._shows: dict[str, set[str]] = {name: set() for name in self._left}
        self.taken: list[Step] = []

    def possible(self) -> list[Step]:
        waiting = {name for name, _ in self._queue}
        return [self._next(name) for name, left in self._left.items() if left and name not in waiting]

    def _next(self, name: str) -> Step:
        what, row = self._left[name][0]
        rows = frozenset({row})
        if what == COMMIT:
            return Step(name, what, Footprint(NOTHING, NOTHING, frozenset(self._shows[name])), ends=True)
        return Step(
            name, what, Footprint(rows, NOTHING, NOTHING) if what == "read" else Footprint(rows, rows, rows)
        )

    def take(self, step: Step) -> None:
        self.taken.append(step)
        what, row = self._left[step.actor].pop(0)
        self._shows[step.actor] |= step.footprint.locks
        if what == "lock":
            self._queue.append((step.actor, row))
        elif what == COMMIT:
            self._held = {row: by for row, by in self._held.items() if by != step.actor}
        for actor, wanted in list(self._queue):
            if self._held.setdefault(wanted, actor) == actor:
                self._queue.remove((actor, wanted))

    def order(self) -> Order:
        """Which of two steps that meet was first, and so what anybody saw."""
        numbers = {name: iter(range(99)) for name in self._left}
        places = [(step, (step.actor, next(numbers[step.actor]))) for step in self.taken]
        return frozenset(
            (one, other)
            for at, (first, one) in enumerate(places)
            for then, other in places[at + 1 :]
            if first.actor != then.actor and first.conflicts(then)
        )


def _all_orders(programs: Sequence[Sequence[tuple[str, str]]]) -> set[Order]:
    """Every order whatever, by trying each step everywhere."""

    def go_on(before: Sequence[int]) -> Iterator[Order]:
        one = Locking(programs)
        for number in before:
            one.take(one.possible()[number])
        possible = one.possible()
        if not possible:
            yield one.order()
        for number in range(len(possible)):
            yield from go_on([*before, number])

    return set(go_on([]))


def _play(programs: Sequence[Sequence[tuple[str, str]]], found: list[Order]) -> Callable[[Choose], None]:
    def play(choose: Choose) -> None:
        one = Locking(programs)
        while possible := one.possible():
            one.take(choose(possible))
        found.append(one.order())

    return play


@settings(max_examples=100, deadline=None)
@given(actors)
def test_every_order_of_locks_is_like_one_that_was_run(programs: list[list[tuple[str, str]]]) -> None:
    found: list[Order] = []
    explore(_play(programs, found))
    assert set(found) == _all_orders(programs)
    assert len(found) == len(set(found)), "two that are alike"
