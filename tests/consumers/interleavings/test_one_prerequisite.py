"""One prerequisite: somebody parks for it while somebody else meets it."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.interleavings.every_order import EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop, history
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from support.stepping import SteppedDatabase

on = Handlers("shop")


@on(SessionStarted)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@on(PageViewed)
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


def test_a_view_parks_while_its_session_starts(stepped_database: SteppedDatabase) -> None:
    started, viewed = announced(SessionStarted(session="s1"), PageViewed(session="s1", n=1))

    def check(shop: Shop) -> None:
        shop.run_due()
        nothing_is_left(shop)
        with shop.engine.connect() as db:
            assert history(db) == [("start", 0), ("view", 1)]

    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(
        {"viewer": lambda shop: shop.handle(viewed), "starter": lambda shop: shop.handle(started)}, check
    )
    assert every_order.waited, "nobody ever waited for a lock: the two never met"
