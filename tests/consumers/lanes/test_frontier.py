"""What is committed of lanes in memory: only what is done or parked, whatever ends when, is lost, or is killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumers.lanes.lanes_by_hand import ByHand, Where, loose_group, partition, where
from oyez.consumers.core.outcomes import Dead, Failed
from oyez.consumers.core.report import Report
from oyez.consumers.lanes.frontier import Flight, Frontier

LANES = 3
PARTITIONS = (0, 1)
IN_FLIGHT = 8
GROUP = loose_group(LANES)


class Lanes(RuleBasedStateMachine):
    """A worker with two partitions, of which everything is known from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = ["a", "b", None]
        self.settled: set[Where] = set()
        """What is done or parked for good: an effect of it is there."""
        self.committed = dict.fromkeys(PARTITIONS, 0)
        self.begin_anew()

    def begin_anew(self) -> None:
        """A process: it knows what was committed."""
        self.worker = ByHand(GROUP, LANES, IN_FLIGHT)
        self.read = dict(self.committed)
        self.held = set(PARTITIONS)

    @rule(number=st.sampled_from(PARTITIONS), count=st.integers(1, 2))
    def reads(self, number: int, count: int) -> None:
        if number not in self.held or partition(number) in self.worker.lanes.full():
            return
        at = self.read[number]
        self.worker.take(number, range(at, at + count), self.keys)
        self.read[number] = at + count
        assert self.read[number] - self.committed[number] <= IN_FLIGHT + self.gap(number)

    def gap(self, number: int) -> int:
        """What is done, and was not committed yet."""
        return sum((number, at) in self.settled for at in range(self.committed[number], self.read[number]))

    @precondition(lambda self: self.worker.pool.now)
    @rule(at=st.integers(0, LANES - 1), how=st.sampled_from(["done", "fails", "dead"]))
    def one_ends(self, at: int, how: str) -> None:
        outcome: Any = {"fails": Failed("x", "E"), "dead": Dead("no")}.get(how)
        pool, begun = self.worker.pool, len(self.worker.pool.began)
        errand = pool.now[at % len(pool.now)]
        if outcome is None:
            place = pool.end(at)
            if not errand.flight.is_forgotten:
                self.settled.add(place)
        else:
            pool.end(at, outcome)
        assert {where(errand)[0] for errand in pool.began[begun:]} <= self.held, "begun, and another worker's"

    @rule()
    def settles(self) -> None:
        """What has failed is parked in the database, and only then let go of."""
        self.worker.lanes.drain()
        self.settled.update(where(errand) for errand, _ in self.worker.lanes.window.failed)
        self.worker.lanes.settled(Report())
        for number in self.held:
            self.commit(number)

    def commit(self, number: int) -> None:
        self.committed[number] = self.worker.reached(number, self.committed[number], self.read[number])

    @rule(number=st.sampled_from(PARTITIONS))
    def loses(self, number: int) -> None:
        """The partition is another worker's: it is read there from what was committed."""
        self.held.discard(number)
        self.worker.lanes.keep({partition(held) for held in self.held})

    @rule(number=st.sampled_from(PARTITIONS))
    def gains(self, number: int) -> None:
        """It comes back, or is lost and back before anybody has noticed."""
        self.held.add(number)
        self.read[number] = self.committed[number]

    @rule(number=st.sampled_from(PARTITIONS), back=st.integers(1, 4))
    def goes_back(self, number: int, back: int) -> None:
        """Behind the frontier: all from there on is to be handled again. From the frontier on, what was handled since
        is not: see `gains`."""
        to = max(0, self.committed[number] - back)
        if to == self.committed[number]:
            return
        self.committed[number] = self.read[number] = to
        self.settled = {place for place in self.settled if place[0] != number or place[1] < to}

    @rule()
    def is_killed(self) -> None:
        self.begin_anew()

    @invariant()
    def commits_nothing_that_is_not_settled(self) -> None:
        for number in PARTITIONS:
            missing = [at for at in range(self.committed[number]) if (number, at) not in self.settled]
            assert not missing, f"lost {missing} of partition {number}"

    @invariant()
    def runs_one_of_a_key_at_a_time(self) -> None:
        keys = [e.delivery.taken.key for e in self.worker.pool.now if e.delivery.taken.key is not None]
        assert len(keys) == len(set(keys))

    @invariant()
    def begins_those_of_a_key_in_order(self) -> None:
        """As long as nothing was read again."""
        begun: dict[tuple[int, str], list[int]] = {}
        seen: set[Where] = set()
        for errand in self.worker.pool.began:
            place, key = where(errand), errand.delivery.taken.key
            if key is not None and place not in seen:
                begun.setdefault((place[0], key), []).append(place[1])
            seen.add(place)
        for (number, key), offsets in begun.items():
            assert offsets == sorted(offsets), (number, key, offsets)

    def teardown(self) -> None:
        """In the end everything is settled, and everything committed."""
        for number in PARTITIONS:
            self.gains(number)
        for _ in range(60):
            while self.worker.pool.now:
                self.one_ends(0, "done")
            self.settles()
            for number in PARTITIONS:
                if self.read[number] < 12:
                    self.reads(number, 1)
        assert [self.committed[number] >= 12 for number in PARTITIONS] == [True, True]


def test_what_was_passed_is_counted_in_events() -> None:
    """Offsets may be far apart: there are other signals between them, or they are bytes of a file."""
    frontier, flights = Frontier(), [Flight(1) for _ in range(9)]
    assert not frontier.has_passed(8), "nothing has begun"
    for n, flight in enumerate(flights):
        assert frontier.begin(1000 * n, flight)
    passed = []
    for flight in flights:
        flight.left = 0
        frontier.reached(10_000)
        passed.append((frontier.has_passed(8), frontier.has_passed(1000)))
    assert passed == [(False, False)] * 7 + [(True, False), (True, True)]
    assert frontier.begin(0, Flight(1)), "all over again"
    assert not frontier.has_passed(1)


TestLanes: Any = Lanes.TestCase
TestLanes.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def goes_back_behind_the_frontier() -> None:
    """What was handled is read again, and all of it handled again."""
    lanes = Lanes()
    for _ in range(2):
        lanes.reads(0, 2)
        while lanes.worker.pool.now:
            lanes.one_ends(0, "done")
        lanes.settles()
        lanes.commits_nothing_that_is_not_settled()
        lanes.goes_back(0, 2)


def reads_as_much_as_it_may() -> None:
    lanes = Lanes()
    for _ in range(IN_FLIGHT):
        lanes.reads(0, 2)


@pytest.mark.parametrize("program", [goes_back_behind_the_frontier, reads_as_much_as_it_may])
def test_what_chance_seldom_does(program: Callable[[], None]) -> None:
    program()
