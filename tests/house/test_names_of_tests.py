"""Tests that are named in lists are there."""

from __future__ import annotations

from support.choosing import LONG, SLOW_IN, TESTS
from support.ordering import LONGEST


def test_each_place_is_there() -> None:
    assert [place for place in (*SLOW_IN, *LONGEST, *LONG) if not (TESTS / place).exists()] == []


def test_each_place_is_named_once() -> None:
    assert len({*LONGEST}) == len(LONGEST)
    assert len({*SLOW_IN}) == len(SLOW_IN)
    assert len({*LONG}) == len(LONG)


def test_what_make_test_leaves_out_does_not_come_first_in_it() -> None:
    assert not {*LONG} & {*LONGEST}
