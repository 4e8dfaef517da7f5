"""What is called after a commit: what was added since a place goes with it, as a savepoint's work does."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.database.committed import AfterCommit

steps = st.lists(st.tuples(st.sampled_from(["add", "mark", "back"]), st.integers(0, 2)), max_size=30)


@given(steps)
def test_it_calls_what_is_left_in_its_order(said: list[tuple[str, int]]) -> None:
    calls, called = AfterCommit(), []
    left: list[int] = []
    places: dict[int, list[int]] = {}
    for number, (what, place) in enumerate(said):
        match what:
            case "add":
                calls.add(lambda number=number: called.append(number))
                left.append(number)
            case "mark":
                calls.mark(place)
                places[place] = [*left]
            case _ if place in places and places[place] == left[: len(places[place])]:
                calls.back_to(place)
                left = [*places[place]]
    calls.run()
    assert called == left
    calls.run()
    assert called == left, "once"


def test_one_that_fails_keeps_no_other_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    calls, called = AfterCommit(), []
    calls.add(lambda: 1 / 0)
    calls.add(lambda: called.append(1))
    with caplog.at_level(logging.ERROR):
        calls.run()
    assert called == [1]
    (record,) = caplog.records
    assert "ZeroDivisionError" in record.getMessage()
