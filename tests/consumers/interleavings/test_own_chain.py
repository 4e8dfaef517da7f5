"""Events that require an earlier one of their own signal, in one key: what a head waits for goes before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import pytest

from consumers.interleavings.every_order import nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import Replied, Script, announced
from oyez.consumers import Handlers

Open = Callable[..., Shop]
CHAIN = [Replied(reply=str(n), parent=str(n - 1) if n > 1 else None, n=n) for n in (1, 2, 3)]
OTHER = Replied(reply="other", n=9)


def _shop(opened: Open, **said: Any) -> tuple[Shop, Script]:
    on = Handlers("shop")
    script = Script(on)
    script.handler("reply", Replied)
    return opened(on, **said), script


ORDERS = list(permutations(CHAIN))
ORDERS_WITH_ANOTHER = list(permutations([*CHAIN, OTHER]))


def _all_done(shop: Shop, order: Sequence[Replied], expected: Sequence[int] = (1, 2, 3)) -> None:
    arrived = [event.n for event in order]
    assert (arrived, shop.done("reply")) == (arrived, list(expected))
    nothing_is_left(shop)


def test_each_arrives_alone(opened: Open) -> None:
    for order in ORDERS:
        shop, _ = _shop(opened)
        for record in announced(*order):
            shop.handle(record)
        shop.run_due()
        _all_done(shop, order)


def test_it_goes_first_when_it_arrives(opened: Open) -> None:
    """Ready, it is not parked at all; not ready, it becomes the head."""
    shop, _ = _shop(opened)
    first, second, third = announced(*CHAIN)
    shop.handle(third)
    shop.handle(second)
    waits = shop.rows("parked", "rank", "wait_subject")
    assert [subject for _, subject in sorted(waits)] == ["1", "2"]
    assert [report.done for report in shop.handle(first)] == [1]
    assert shop.done("reply") == [1]


def test_what_is_due_runs_in_between(opened: Open) -> None:
    for order in ORDERS:
        shop, _ = _shop(opened)
        for record in announced(*order):
            shop.handle(record)
            shop.run_due()
        _all_done(shop, order)


def test_all_arrive_together(opened: Open) -> None:
    """With another event of the key among them."""
    for order in ORDERS_WITH_ANOTHER:
        shop, _ = _shop(opened)
        shop.handle(*announced(*order))
        shop.run_due()
        before = [n for n in shop.done("reply") if n == 9 or n in _before(9, order)]
        assert [n for n in shop.done("reply") if n != 9] == [1, 2, 3]
        assert before[-1] == 9
        nothing_is_left(shop)


def _before(n: int, order: Sequence[Replied]) -> list[int]:
    """What arrived before ``n``, which is therefore done before it."""
    numbers = [event.n for event in order]
    return numbers[: numbers.index(n)]


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_all_are_parked_behind_another(opened: Open, batch: int) -> None:
    """None has been looked at when the head is done; claimed one by one, or together."""
    for order in ORDERS:
        shop, script = _shop(opened, batch=batch)
        script.fails("reply", 9)
        for record in announced(OTHER, *order):
            shop.handle(record)
        assert shop.rows("parked", "wait_signal", "attempts") == [(None, 1)] + [(None, 0)] * 3
        script.works("reply", 9)
        shop.clock.now += 1
        shop.run_due()
        _all_done(shop, order, (9, 1, 2, 3))


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_one_of_them_fails_at_first(opened: Open, failing: int) -> None:
    for order in ORDERS:
        shop, script = _shop(opened)
        script.fails("reply", failing)
        for record in announced(*order):
            shop.handle(record)
            shop.run_due()
        assert shop.done("reply") == [n for n in (1, 2, 3) if n < failing]
        script.works("reply", failing)
        shop.clock.now += 1
        shop.run_due()
        _all_done(shop, order)


def test_an_event_that_arrives_later_stays_behind(opened: Open) -> None:
    shop, _ = _shop(opened)
    first, second, third = announced(*CHAIN)
    (other,) = announced(OTHER)
    for record in (third, other, second, first):
        shop.handle(record)
    shop.run_due()
    assert shop.done("reply") == [1, 2, 3, 9]
    nothing_is_left(shop)


@pytest.mark.parametrize("completes", [True, False])
def test_a_link_holds_until_every_handler_is_done_with_it(opened: Open, completes: bool) -> None:
    """The first reply and the second are claimed together; another handler has still failed for the first."""
    on = Handlers("shop")
    script = Script(on)
    script.handler("reply", Replied)
    script.handler("audit", Replied, requires={}, order="none", completes=completes)
    shop = opened(on)
    script.fails("reply", 9)
    script.fails("audit", 1)
    shop.handle(*announced(OTHER, *CHAIN))
    script.works("reply", 9)
    shop.clock.now += 1
    shop.run_due()
    assert shop.done("reply") == ([9, 1] if completes else [9, 1, 2, 3])
    script.works("audit", 1)
    shop.clock.now += 2
    shop.run_due()
    assert shop.done("reply") == [9, 1, 2, 3]
    nothing_is_left(shop)
