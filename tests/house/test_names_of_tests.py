"""Tests that are named in lists are there."""

from __future__ import annotations

from support.choosing import SLOW_IN, TESTS
from support.ordering import LONGEST


def test_each_place_is_there() -> None:
    assert [place for place in (*SLOW_IN, *LONGEST) if not (TESTS / place).exists()] == []


def test_each_place_is_named_once() -> None:
    assert len({*LONGEST}) == len(LONGEST)
    assert len({*SLOW_IN}) == len(SLOW_IN)
