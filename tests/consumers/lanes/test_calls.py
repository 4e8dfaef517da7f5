"""Threads of lanes in memory: nothing waits while a lane is free, and nothing that has ended is missed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import pytest

from consumers.lanes.errands_by_hand import errand, loose_handler
from consumers.lanes.gated_handlers import Gates
from consumers.pipeline import Placed
from oyez.consumers.core.outcomes import Outcome
from oyez.consumers.lanes.by_key import Errand
from oyez.consumers.lanes.calls import Calls
from support.waiting import eventually

LANES = 4
FIRST = 100
"""The numbers of the events before those that a test is about are from here on."""


class Held:
    """Calls of a handler, each of which is held until it is let go."""

    def __init__(self) -> None:
        self.gates = Gates()
        self.ended: list[tuple[Errand, Outcome]] = []
        self.running: list[int] = []
        """How many ran, as the pool says, when it told of each that has ended."""

        def hold(event: Placed) -> None:
            self.gates.enter(event)
            self.gates.wait(event.n)

        self._handler = loose_handler(hold, LANES)
        self.calls = Calls(self._handler, self._end, LANES, lambda: 0.0)

    def _end(self, errand: Errand, outcome: Outcome) -> None:
        self.running.append(self.calls.running)
        self.ended.append((errand, outcome))

    def put(self, numbers: Iterable[int]) -> None:
        self.calls.put([errand(self._handler, n) for n in numbers])

    def have_idle(self, count: int) -> None:
        """So many threads are there, and do nothing."""
        self.put(range(FIRST, FIRST + count))
        eventually(lambda: len(self.gates.begun) == count)
        self.gates.let(*range(FIRST, FIRST + count))
        eventually(lambda: self.calls._idle == count)

    def begun(self) -> list[int]:
        return sorted(n for n in self.gates.begun if n < FIRST)


@pytest.mark.parametrize(("idle", "first", "then"), [*product(range(LANES + 1), (1, 2, 3), (1, 2))])
def test_what_comes_before_a_thread_has_woken_waits_for_no_other(idle: int, first: int, then: int) -> None:
    """A thread that was woken for one event has not looked yet when the next one comes."""
    held, count = Held(), first + then
    held.have_idle(idle)
    with held.calls._change:  # who is woken, and who is new, looks when this is left
        held.put(range(first))
        held.put(range(first, count))
    eventually(lambda: held.begun() == list(range(min(count, LANES))))
    assert held.calls._threads <= LANES
    held.gates.let(*range(count))
    eventually(lambda: len(held.ended) == idle + count)
    held.calls.stop()


def test_what_has_ended_is_told_before_it_counts_as_not_running() -> None:
    """Whoever waits until nothing runs, and then looks at what has ended, finds all of it."""
    held = Held()
    for n in range(3):
        held.put([n])
        held.gates.let(n)
        eventually(lambda: held.calls.running == 0 and len(held.running) > n)  # noqa: B023 # at once
    assert held.running == [1, 1, 1]
    held.calls.stop()
