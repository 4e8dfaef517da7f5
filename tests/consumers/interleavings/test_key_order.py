"""The order of a key, kept through failures, attempts with backoff, and dead letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consumers.interleavings.every_order import nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import Bought, CartOpened, PageViewed, Script, announced
from oyez.consumers import Handlers, Reject
from oyez.consumers.core.backoff import RetryPolicy

Open = Callable[..., Shop]


def _middle(low: float, high: float) -> float:
    return (low + high) / 2


def _shop(opened: Open, **said: Any) -> tuple[Shop, Script]:
    on = Handlers("shop")
    script = Script(on)
    script.handler("view", PageViewed, requires={})
    script.handler("index", PageViewed, requires={}, order="none")
    policy = RetryPolicy(uniform=_middle, **said)
    return opened(on, policy=policy), script


def _views(*numbers: int, session: str = "s1") -> list[Any]:
    return announced(*(PageViewed(session=session, n=n) for n in numbers))


def test_later_events_never_overtake_a_failed_one(opened: Open) -> None:
    shop, script = _shop(opened)
    script.fails("view", 2)
    shop.handle(*_views(1, 2, 3))
    shop.handle(*_views(4))
    assert shop.done("view") == [1]
    assert shop.rows("parked", "attempts", "due_at") == [(1, shop.clock.now + 1), (0, None), (0, None)]
    shop.clock.now += 0.99
    assert shop.run_due() == []
    shop.clock.now += 0.01
    shop.run_due()
    assert shop.done("view") == [1]
    assert shop.rows("parked", "attempts", "due_at") == [(2, shop.clock.now + 2), (0, None), (0, None)]
    script.works("view", 2)
    shop.clock.now += 2
    shop.run_due()
    assert shop.done("view") == [1, 2, 3, 4]
    nothing_is_left(shop)


def test_other_keys_and_unordered_handlers_go_on(opened: Open) -> None:
    shop, script = _shop(opened)
    script.fails("view", 1)
    script.fails("index", 2)
    shop.handle(*_views(1, 2, 3), *_views(4, 5, session="s2"))
    assert shop.done("view") == [4, 5]
    assert shop.done("index") == [1, 3, 4, 5]
    script.works("view", 1)
    script.works("index", 2)
    shop.clock.now += 1
    shop.run_due()
    assert shop.done("view") == [4, 5, 1, 2, 3]
    assert shop.done("index") == [1, 3, 4, 5, 2]
    nothing_is_left(shop)


def test_what_fails_behind_a_head_holds_up_the_rest(opened: Open) -> None:
    shop, script = _shop(opened)
    script.fails("view", 1)
    script.fails("view", 3)
    shop.handle(*_views(1, 2, 3, 4, 5))
    script.works("view", 1)
    shop.clock.now += 1
    shop.run_due()
    assert shop.done("view") == [1, 2]
    shop.handle(*_views(6))
    assert shop.done("view") == [1, 2]
    script.works("view", 3)
    shop.clock.now += 1
    shop.run_due()
    assert shop.done("view") == [1, 2, 3, 4, 5, 6]
    nothing_is_left(shop)


def test_what_follows_a_failure_outside_the_database_stands_behind_it(opened: Open) -> None:
    on = Handlers("shop")
    script = Script(on)
    script.handler("view", PageViewed, requires={}, database=False)
    shop = opened(on)
    script.fails("view", 2)
    (report,) = shop.handle(*_views(1, 2, 3, 4), *_views(5, session="s2"))
    assert (report.done, report.retried, report.behind) == (2, 1, 2)
    assert shop.rows("parked", "attempts", "due_at") == [(1, shop.clock.now + 1), (0, None), (0, None)]
    script.works("view", 2)
    shop.clock.now += 1
    assert [report.done for report in shop.run_due()] == [3]
    nothing_is_left(shop)


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_dead_letter_lets_the_rest_go_on(opened: Open, attempts: int) -> None:
    shop, script = _shop(opened, max_attempts=attempts)
    script.fails("view", 2)
    shop.handle(*_views(1, 2, 3, 4))
    for past in range(attempts - 1):
        assert shop.done("view") == [1]
        shop.clock.now += 2**past
        shop.run_due()
    shop.run_due()
    assert shop.done("view") == [1, 3, 4]
    assert shop.rows("parked", "handler") == []
    assert shop.rows("dead", "handler", "attempts", "reason") == [
        ("view", attempts, "failed 1 time" if attempts == 1 else f"failed {attempts} times")
    ]


def test_a_rejected_event_holds_up_nothing(opened: Open) -> None:
    shop, script = _shop(opened)
    script.fails("view", 2, Reject("no such page"))
    shop.handle(*_views(1, 2, 3))
    assert shop.done("view") == [1, 3]
    assert shop.rows("dead", "reason") == [("rejected by its handler",)]
    assert shop.rows("parked", "handler") == []


def test_a_head_that_fails_for_too_long_dies(opened: Open) -> None:
    shop, script = _shop(opened, max_age=100.0, longest=60.0)
    script.fails("view", 1)
    shop.handle(*_views(1, 2))
    for _ in range(20):
        shop.clock.now += 60
        shop.run_due()
    assert shop.done("view") == [2]
    assert [row[0][:10] for row in shop.rows("dead", "reason")] == ["failed for"]


def test_backoff_grows_to_an_hour() -> None:
    policy = RetryPolicy(uniform=_middle)
    assert [policy.delay(n) for n in (1, 2, 3, 12, 13, 25)] == [1, 2, 4, 2048, 3600, 3600]
    low, high = RetryPolicy(uniform=lambda low, _: low), RetryPolicy(uniform=lambda _, high: high)
    assert (low.delay(1), high.delay(1)) == (0.8, 1.2)


def test_rows_park_in_the_order_of_their_events(opened: Open) -> None:
    """A failure that is caught in place is found after what was not ready; it still stands before it."""
    on = Handlers("shop")
    script = Script(on)
    script.handler("fill", CartOpened)
    script.handler("buy", Bought, requires={CartOpened: "cart"}, database=False)
    shop = opened(on)
    script.fails("buy", 1)
    shop.handle(*announced(Bought(session="s1", cart=None, n=1), Bought(session="s1", cart="c1", n=2)))
    shop.handle(*announced(CartOpened(cart="c1")))
    assert shop.run_due() == []
    assert shop.rows("parked", "attempts") == [(1,), (0,)]
    script.works("buy", 1)
    shop.clock.now += 1
    assert [report.done for report in shop.run_due()] == [2]
    nothing_is_left(shop)
