"""The delays between attempts."""

import pytest

from oyez.producers.delays import Delays


def test_they_are_doubled_up_to_the_longest() -> None:
    delays = Delays(0.5, 3.0)
    assert [delays.after(attempts) for attempts in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_any_number_of_attempts_is_the_longest() -> None:
    assert Delays(0.1, 60.0).after(1_000_000) == 60.0


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
def test_a_spread_gives_or_takes_its_part(drawn: float) -> None:
    delays = Delays(1.0, 8.0, spread=0.2, uniform=lambda low, high: low + drawn * (high - low))
    assert delays.after(3) == pytest.approx(4.0 * (0.8 + 0.4 * drawn))


def test_the_spread_is_of_the_longest_as_well() -> None:
    assert Delays(1.0, 8.0, spread=0.5, uniform=lambda _, high: high).after(20) == 12.0


def test_without_a_spread_nothing_is_drawn() -> None:
    def never(_low: float, _high: float) -> float:
        raise AssertionError("drawn")

    assert Delays(1.0, 8.0, uniform=never).after(2) == 2.0
