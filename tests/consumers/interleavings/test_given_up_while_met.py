"""A head is given up, since it has waited for too long, while what it waits for is met: in every order."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from support.stepping import SteppedDatabase

DAY = 86_400.0
on = Handlers("shop")


@on(SessionStarted)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@on(PageViewed)
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


@pytest.mark.timeout(500)
@pytest.mark.parametrize("behind", [False, True])
def test_it_is_given_up_while_it_is_met(stepped_database: SteppedDatabase, behind: bool) -> None:
    """Whichever is first, it is handled: released, or given up and revived; nobody waits on. What was claimed while
    its predecessor was dead is handled before it."""
    started, *views = announced(
        SessionStarted(session="s1"), *(PageViewed(session="s1", n=n) for n in (1, 2))
    )
    every_order = EveryOrder(stepped_database, Application(on))
    revived: set[int] = set()
    orders: set[tuple[int, ...]] = set()

    def before(shop: Shop) -> None:
        shop.handle(*(views if behind else views[:1]))
        every_order.clock.now += DAY

    def bury(shop: Shop) -> None:
        shop.retrying["shop.steps.page.viewed"].sweep(lambda _report: None)

    def check(shop: Shop) -> None:
        shop.run_due()
        nothing_is_left(shop)
        orders.add(tuple(shop.done("view")))
        (report,) = every_order.results["starter"]
        revived.add(report.revived)

    every_order.every({"starter": lambda shop: shop.handle(started), "sweeper": bury}, check, before=before)
    assert revived == set(range(2 + behind))
    assert orders == ({(1, 2), (2, 1)} if behind else {(1,)})
    assert every_order.waited, "neither ever waited for the other's lock of the prerequisite"
    assert every_order.rolled_back == 0, "a deadlock"
