"""Each rule of lanes is broken once: the tests notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from consumers.lanes import (
    test_choosing_without_the_paused,
    test_deaths_in_memory,
    test_fair_shares,
    test_frontier,
    test_limits,
    test_nothing_gets_stuck,
    test_unit,
)
from consumers.lanes.gated_handlers import in_threads
from consumers.lanes.test_fair_shares import failed
from oyez.consumers.database import rates, start_notes
from oyez.consumers.execution.pauses import Pauses
from oyez.consumers.lanes import choosing, unit
from oyez.consumers.lanes.by_key import ByKey, Errand
from oyez.consumers.lanes.frontier import Flight, Frontier
from oyez.consumers.lanes.in_memory import MemoryLanes
from oyez.consumers.lanes.unit import NO_LIMIT, Busy, Candidate, Room, deal
from oyez.consumers.retry.retrying import ALONE
from oyez.consumers.worker.reading_ahead import ReadingAhead

__all__ = ["failed"]

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]


def failing_have_no_share(patch: Patch) -> None:
    """What has failed before has 30 % of the lanes while others wait."""
    patch.setattr(
        Room, "wanted", property(lambda self: unit.Wanted(self.units * self.size, self.units, self.units))
    )


def a_key_has_all_lanes(patch: Patch) -> None:
    """So many events of a key run at once, where its order is not kept."""

    def anything(rows: Any, busy: Busy, room: Room) -> list[list[Candidate]]:
        return deal(rows, busy, room._replace(per_key=NO_LIMIT))

    patch.setattr(choosing, "deal", anything)
    patch.setattr(choosing, "_full", lambda *_: frozenset())


def a_rate_is_never_used_up(patch: Patch) -> None:
    """A handler's rate is for all workers together."""
    patch.setattr(rates, "put", lambda *_: None)


def pauses_are_not_read(patch: Patch) -> None:
    """What is paused is chosen for no lane."""
    patch.setattr(Pauses, "read", lambda *_: None)


def notes_grow_old(patch: Patch) -> None:
    """What is chosen and waits is noted anew."""
    patch.setattr(start_notes, "refresh", lambda *_: None)


def suspects_run_beside_others(patch: Patch) -> None:
    """What so many workers have died on is run with nothing beside it."""
    patch.setattr(unit, "is_suspected", lambda _row: False)


def what_hung_is_run_beside_others(patch: Patch) -> None:
    """What hung beside others is run alone."""
    patch.setattr(unit, "_takes", lambda some, _row, most, _alone: len(some) < most)


def whoever_moves_has_got_on(patch: Patch) -> None:
    """A frontier that moves is no sign that nobody has died."""
    patch.setattr(Frontier, "has_passed", lambda *_: True)


def what_is_in_hand_is_committed(patch: Patch) -> None:
    """What was polled, and has not begun, is not passed by what is committed."""
    settle = ReadingAhead._settle
    patch.setattr(ReadingAhead, "_settle", lambda self, stopped, *_, **how: settle(self, stopped, **how))


ROOM = Room(2, 8)
FRESH, OTHER = test_unit.candidate(1, "a", 0), test_unit.candidate(2, "b", 0)
SUSPECTED = test_unit.candidate(0, "a", ALONE)


def given(test: Any, *example: Any) -> None:
    """One example of a property."""
    test.hypothesis.inner_test(*example)


IN_DATABASE: dict[Break, Callable[[pytest.FixtureRequest], Any]] = {
    failing_have_no_share: lambda ask: test_fair_shares.test_a_share_while_others_wait(
        ask.getfixturevalue("failed")
    ),
    a_key_has_all_lanes: lambda ask: test_limits.test_so_many_of_a_key(ask.getfixturevalue("many")),
    a_rate_is_never_used_up: lambda ask: test_limits.test_a_rate(ask.getfixturevalue("many")),
    pauses_are_not_read: lambda ask: test_choosing_without_the_paused.test_a_handler(
        ask.getfixturevalue("many")
    ),
    notes_grow_old: lambda ask: test_nothing_gets_stuck.test_what_is_chosen_and_waits_is_noted_anew(
        ask.getfixturevalue("many")
    ),
    whoever_moves_has_got_on: lambda ask: (
        test_deaths_in_memory.test_who_dies_a_little_further_each_time_has_not_got_on(
            ask.getfixturevalue("many"), in_threads, ask.getfixturevalue("caplog")
        )
    ),
    what_is_in_hand_is_committed: lambda ask: (
        test_deaths_in_memory.test_what_is_in_hand_is_not_committed_while_others_end(
            ask.getfixturevalue("many"), in_threads, ask.getfixturevalue("monkeypatch")
        )
    ),
    suspects_run_beside_others: lambda _ask: given(
        test_unit.test_of_a_key_nothing_is_left_out_in_between, [SUSPECTED, FRESH], ROOM
    ),
    what_hung_is_run_beside_others: lambda _ask: given(
        test_unit.test_what_may_hang_has_a_unit_to_itself, [FRESH, OTHER], ROOM, frozenset({1})
    ),
}


@pytest.mark.parametrize("broken", IN_DATABASE, ids=lambda broken: broken.__name__)
def test_a_rule_that_is_broken_is_seen(request: pytest.FixtureRequest, broken: Break) -> None:
    run = IN_DATABASE[broken]
    patch = request.getfixturevalue("monkeypatch")
    broken(patch)
    with pytest.raises(AssertionError):
        run(request)


def everything_is_committed(patch: Patch) -> None:
    """What is committed is the offset below which everything is done or parked."""
    patch.setattr(Frontier, "reached", lambda _self, read: read)


def keys_run_at_once(patch: Patch) -> None:
    """Events of a key never run at once in a worker."""

    def put(self: Any, errands: Iterable[Errand]) -> None:
        for errand in errands:
            self._ready.append(errand)
            if (key := errand.delivery.taken.key) is not None:
                self._behind.setdefault(key, type(self._ready)())

    def end(_self: Any, _errand: Errand) -> None: ...

    patch.setattr(ByKey, "put", put)
    patch.setattr(ByKey, "end", end)


def what_was_lost_is_begun(patch: Patch) -> None:
    """What waits of a partition that was lost is dropped."""
    patch.setattr(Frontier, "forget", lambda self: self._flights.clear())


def going_back_is_not_noticed(patch: Patch) -> None:
    """If the log goes back behind the frontier, everything that is known is forgotten."""

    def begin(self: Any, offset: int, flight: Flight) -> bool:
        if offset in self._flights or offset <= self._last:
            return False
        self._flights[offset], self._last = flight, offset
        return True

    patch.setattr(Frontier, "begin", begin)


def a_partition_is_never_full(patch: Patch) -> None:
    """So many events of a partition may be beyond its frontier."""
    patch.setattr(MemoryLanes, "full", lambda _self: set())


FOUND_SOON = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)


def at_random() -> None:
    run_state_machine_as_test(test_frontier.Lanes, settings=FOUND_SOON)


IN_MEMORY: dict[Break, Callable[[], None]] = {
    everything_is_committed: at_random,
    keys_run_at_once: at_random,
    what_was_lost_is_begun: at_random,
    going_back_is_not_noticed: test_frontier.goes_back_behind_the_frontier,
    a_partition_is_never_full: test_frontier.reads_as_much_as_it_may,
}


@pytest.mark.parametrize("broken", IN_MEMORY, ids=lambda broken: broken.__name__)
def test_a_rule_of_lanes_in_memory_that_is_broken_is_seen(monkeypatch: Patch, broken: Break) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        IN_MEMORY[broken]()
