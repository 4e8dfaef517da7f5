"""Heads that wait for longer than ``max_age`` are given up, and what would wait for the same prerequisite with them."""

from __future__ import annotations

from collections.abc import Callable

from consumers.interleavings.every_order import nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import (
    Bought,
    CartOpened,
    PageViewed,
    Replied,
    Script,
    SessionStarted,
    announced,
)
from oyez.consumers import Handlers

Open = Callable[..., Shop]
DAY = 86_400.0


def _shop(opened: Open) -> Shop:
    on = Handlers("shop")
    script = Script(on)
    script.handler("start", SessionStarted)
    script.handler("fill", CartOpened)
    script.handler("buy", Bought, requires={CartOpened: "cart"})
    script.handler("view", PageViewed)
    script.handler("watch", PageViewed, order="none")
    return opened(on)


def _bought(n: int, cart: str | None) -> Bought:
    return Bought(session="s1", cart=cart, n=n)


def test_a_head_is_given_up_after_max_age_and_not_before(opened: Open) -> None:
    shop = _shop(opened)
    shop.handle(*announced(_bought(1, "lost")))
    shop.clock.now += DAY - 1
    shop.sweep()
    assert shop.rows("dead", "id") == []
    shop.clock.now += 1
    shop.sweep()
    assert shop.rows("parked", "id") == []
    assert shop.rows("dead", "reason", "wait_signal", "wait_subject") == [
        ("never met: waited 86400 s for steps.cart.opened 'lost'", "steps.cart.opened", "lost")
    ]


def test_what_waits_for_the_very_same_prerequisite_dies_with_it(opened: Open) -> None:
    shop = _shop(opened)
    shop.handle(*announced(*(_bought(n, "lost") for n in range(5))))
    shop.clock.now += DAY
    shop.sweep()
    assert shop.rows("parked", "id") == []
    first, *others = shop.rows("dead", "reason", "wait_subject")
    assert first == ("never met: waited 86400 s for steps.cart.opened 'lost'", "lost")
    assert others == [("never met, like its predecessor", "lost")] * 4


def test_what_waits_for_another_prerequisite_lives_on(opened: Open) -> None:
    shop = _shop(opened)
    carts = ["lost", "lost", "late", "lost", None]
    shop.handle(*announced(*(_bought(n, cart) for n, cart in enumerate(carts))))
    shop.clock.now += DAY
    shop.sweep()
    assert len(shop.rows("dead", "id")) == 2
    assert shop.rows("parked", "wait_subject", "head_since") == [
        ("late", shop.clock.now),
        (None, None),
        (None, None),
    ]
    shop.handle(*announced(CartOpened(cart="late")))
    shop.run_due()
    assert shop.done("buy") == [2, 4]
    assert len(shop.rows("dead", "id")) == 3
    assert shop.rows("parked", "id") == []


def test_what_needs_nothing_runs_when_its_head_is_given_up(opened: Open) -> None:
    shop = _shop(opened)
    shop.handle(*announced(_bought(1, "lost"), _bought(2, None), _bought(3, None)))
    shop.clock.now += DAY
    shop.sweep()
    assert shop.done("buy") == [2, 3]
    assert len(shop.rows("dead", "id")) == 1
    assert shop.rows("parked", "id") == []


def test_a_new_head_has_its_own_time(opened: Open) -> None:
    """How long it stood behind the one before does not count."""
    shop = _shop(opened)
    shop.handle(*announced(_bought(1, "lost"), _bought(2, "late")))
    shop.clock.now += DAY
    shop.sweep()
    shop.clock.now += DAY - 1
    shop.sweep()
    assert len(shop.rows("dead", "id")) == 1
    shop.clock.now += 1
    shop.sweep()
    assert len(shop.rows("dead", "id")) == 2


def test_without_order_each_has_its_own_time(opened: Open) -> None:
    shop = _shop(opened)
    shop.handle(*announced(PageViewed(session="s1", n=1)))
    shop.clock.now += 100
    shop.handle(*announced(PageViewed(session="s1", n=2)))
    shop.clock.now += DAY - 100
    shop.sweep()
    assert shop.rows("parked", "handler") == [("watch",)]
    shop.clock.now += 100
    shop.sweep()
    assert shop.rows("parked", "handler") == []


def test_what_is_met_at_last_does_not_die_with_its_predecessor(opened: Open) -> None:
    """Two replies to one post: the first is given up; then the post comes, and both are handled, in order."""
    mine = Handlers("shop")
    Script(mine).handler("reply", Replied)
    shop = opened(mine)
    shop.handle(*announced(*(Replied(reply=f"r{n}", parent="post", n=n) for n in (1, 2))))
    shop.clock.now += DAY
    shop.database.repeat(shop.retrying["shop.steps.replied"]._bury_expired)
    shop.handle(*announced(Replied(reply="post", n=0)))
    shop.run_due()
    assert shop.done("reply") == [0, 1, 2]
    nothing_is_left(shop)


def test_nothing_is_given_up_that_is_met(opened: Open) -> None:
    shop = _shop(opened)
    shop.handle(*announced(PageViewed(session="s1", n=1), SessionStarted(session="s1")))
    shop.clock.now += DAY
    shop.sweep()
    assert shop.done("view") == [1]
    nothing_is_left(shop)


def test_a_head_with_rows_that_were_heads_before_it_is_given_up_however_few_are_looked_at(
    opened: Open,
) -> None:
    """A reply that the head of its thread waits for goes before it; the one that was the head has waited as long."""
    on = Handlers("shop")
    Script(on).handler("reply", Replied)
    shop = opened(on, batch=1)
    shop.handle(*announced(Replied(reply="a", parent="b", n=0)))
    shop.handle(*announced(Replied(reply="b", parent="lost", n=1)))
    for _ in range(3):
        shop.clock.now += DAY
        shop.sweep()
    assert shop.rows("parked", "id") == []
    assert len(shop.rows("dead", "id")) == 2


def test_what_was_given_up_is_noted(opened: Callable[..., Shop]) -> None:
    """Nobody has held its key: what has gone before it may have ended at that moment, and have found it there."""
    on = Handlers("shop")
    script = Script(on)
    script.handler("start", SessionStarted)
    script.handler("view", PageViewed)
    shop = opened(on)
    shop.handle(*announced(*(PageViewed(session="s1", n=n) for n in (1, 2))))
    shop.sweep()
    assert shop.rows("behind", "key") == []
    shop.clock.now += DAY + 1
    retrying = shop.retrying["shop.steps.page.viewed"]
    assert shop.database.repeat(retrying._bury_expired) == 1
    assert shop.rows("behind", "key") == [("s1",)]
