"""What a handler may raise: to wait for a prerequisite, to be tried again, to be given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consumers.interleavings.every_order import nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, Script, SessionStarted, announced
from oyez.consumers import Handlers, NotReady, Reject

Open = Callable[..., Shop]
(first,) = announced(PageViewed(session="s1", n=1))
(second,) = announced(PageViewed(session="s1", n=2))
(started,) = announced(SessionStarted(session="s1"))


@pytest.fixture(params=[True, False], ids=["inside", "outside"])
def at_work(opened: Open, request: pytest.FixtureRequest) -> tuple[Shop, Script]:
    """A handler with a database parameter, or without."""
    on = Handlers("shop")
    script = Script(on)
    script.handler("start", SessionStarted)
    script.handler("view", PageViewed, requires={}, database=request.param)
    return opened(on), script


def test_it_waits_for_a_prerequisite_that_is_not_met(at_work: tuple[Shop, Script]) -> None:
    shop, script = at_work
    script.fails("view", 1, NotReady(SessionStarted, "s1"))
    shop.handle(first)
    shop.handle(second)
    assert shop.rows("parked", "wait_subject", "attempts", "due_at") == [("s1", 0, None), (None, 0, None)]
    shop.clock.now += 3600
    assert shop.run_due() == []
    script.works("view", 1)
    shop.handle(started)
    assert [report.done for report in shop.run_due()] == [2]
    nothing_is_left(shop)


def test_a_prerequisite_that_is_met_counts_as_an_attempt(at_work: tuple[Shop, Script]) -> None:
    shop, script = at_work
    shop.handle(started)
    script.fails("view", 1, NotReady(SessionStarted, "s1"))
    shop.handle(first)
    assert shop.rows("parked", "wait_subject", "attempts", "due_at") == [(None, 1, shop.clock.now + 1)]
    assert "is met already" in shop.rows("parked", "error")[0][0]
    shop.clock.now += 1
    shop.run_due()
    assert shop.rows("parked", "attempts", "due_at") == [(2, shop.clock.now + 2)]
    script.works("view", 1)
    shop.clock.now += 2
    shop.run_due()
    nothing_is_left(shop)


def test_a_prerequisite_that_the_batch_itself_meets(at_work: tuple[Shop, Script]) -> None:
    """It waits, is released at once, and raises it again: only then is it an attempt."""
    shop, script = at_work
    script.fails("view", 1, NotReady(SessionStarted, "s1"))
    shop.handle(first, started)
    shop.run_due()
    assert shop.rows("parked", "wait_subject", "attempts") == [(None, 1)]
    script.works("view", 1)
    shop.clock.now += 1
    shop.run_due()
    nothing_is_left(shop)


def test_not_ready_asks_for_another_attempt(at_work: tuple[Shop, Script]) -> None:
    shop, script = at_work
    script.fails("view", 1, NotReady())
    shop.handle(first)
    shop.handle(second)
    assert shop.rows("parked", "attempts", "due_at") == [(1, shop.clock.now + 1), (0, None)]
    script.works("view", 1)
    shop.clock.now += 1
    assert [report.done for report in shop.run_due()] == [2]
    nothing_is_left(shop)


def test_rejected_is_dead_at_once(at_work: tuple[Shop, Script]) -> None:
    shop, script = at_work
    script.fails("view", 1, Reject("a robot"))
    shop.handle(first, second)
    assert shop.rows("parked", "id") == []
    assert shop.rows("dead", "reason", "error", "attempts") == [("rejected by its handler", "a robot", 0)]


def test_rejected_at_a_later_attempt(at_work: tuple[Shop, Script]) -> None:
    shop, script = at_work
    script.fails("view", 1)
    shop.handle(first, second)
    script.fails("view", 1, Reject("a robot"))
    shop.clock.now += 1
    shop.run_due()
    assert shop.rows("parked", "id") == []
    assert shop.rows("dead", "reason", "attempts") == [("rejected by its handler", 1)]


def test_a_prerequisite_whose_event_was_given_up_is_not_met(at_work: tuple[Shop, Script]) -> None:
    shop, script = at_work
    script.fails("start", 0, Reject("no"))
    script.fails("view", 1, NotReady(SessionStarted, "s1"))
    shop.handle(first)
    shop.handle(started)
    shop.run_due()
    assert shop.rows("parked", "wait_subject") == [("s1",)]


def test_a_dead_delivery_holds_the_prerequisite_though_all_others_are_done(opened: Open) -> None:
    on = Handlers("shop")
    script = Script(on)
    script.handler("greet", SessionStarted)
    script.handler("count", SessionStarted)
    script.handler("view", PageViewed)
    shop = opened(on)
    script.fails("greet", 0, Reject("no"))
    script.fails("count", 0)
    shop.handle(first, started)
    script.works("count", 0)
    shop.clock.now += 1
    shop.run_due()
    assert shop.done("count") == [0]
    assert shop.rows("parked", "handler", "wait_subject") == [("view", "s1")]
    assert shop.rows("prerequisite", "met_at") == [(None,)]
