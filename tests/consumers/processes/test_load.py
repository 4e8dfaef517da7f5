"""Who is too busy to share a process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.processes.load import Limits, Load

LIMITS = Limits(share=0.5, least=0.05, window=10.0, settling=20.0)
SHARES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.0, 1.0), min_size=1)


def found(share: dict[str, float]) -> str | None:
    """Who was said to be too busy in a window, after the settling, of workers that took these shares of it."""
    now = [0.0]
    load = Load(LIMITS, lambda: now[0])
    now[0] = LIMITS.settling
    assert load.too_busy(lambda: dict.fromkeys("abcdef", 7.0)) is None
    now[0] += 10.0
    said = load.too_busy(lambda: {name: 7.0 + 10.0 * share.get(name, 0.0) for name in "abcdef"})
    return said and said[0]


@given(SHARES)
def test_the_busiest_of_those_that_take_too_much_together(share: dict[str, float]) -> None:
    name = found(share)
    total, most = sum(share.values()), max(share.values())
    if total > 0.51 and most > 0.06:
        assert name is not None
        assert share[name] > most - 0.001
    if total < 0.49 or most < 0.04:
        assert name is None


def test_nobody_is_judged_by_how_it_begins_or_by_less_than_a_window() -> None:
    now = [0.0]
    load = Load(LIMITS, lambda: now[0])
    for _ in range(29):
        now[0] += 1.0
        assert load.too_busy(lambda: {"a": now[0], "b": 0.0}) is None
    now[0] += 1.0
    assert load.too_busy(lambda: {"a": now[0], "b": 0.0}) is not None


def test_who_has_none_beside_it_stays() -> None:
    now = [0.0]
    load = Load(LIMITS, lambda: now[0])
    for _ in range(9):
        now[0] += 10.0
        assert load.too_busy(lambda: {"a": now[0]}) is None


def test_many_that_do_next_to_nothing_stay_together() -> None:
    now = [0.0]
    load = Load(LIMITS, lambda: now[0])
    for _ in range(9):
        now[0] += 20.0
        assert load.too_busy(lambda: {f"w{n}": now[0] * 0.012 for n in range(60)}) is None
