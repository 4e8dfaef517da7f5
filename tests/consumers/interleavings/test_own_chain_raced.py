"""What a head waits for is parked behind it at the very moment at which the head begins to wait."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import Replied, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from support.stepping import SteppedDatabase

on = Handlers("shop")


@on(SessionStarted)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@on(Replied, requires={SessionStarted: "thread", Replied: "parent"})
def reply(event: Replied, db: Connection) -> None:
    note(db, "reply", event)


CHAIN = [Replied(reply=str(n), parent=str(n - 1) if n > 1 else None, n=n) for n in (1, 2, 3)]
started, first, second, third = announced(SessionStarted(session="t1"), *CHAIN)


@pytest.mark.parametrize("arriving", [1, 2])
def test_the_one_that_it_waits_for_arrives(stepped_database: SteppedDatabase, arriving: int) -> None:
    """The third reply is claimed once its thread has started, and finds that it waits for the second."""
    earlier, now, later = ([third], second, first) if arriving == 2 else ([third, second], first, None)

    def before(shop: Shop) -> None:
        for record in earlier:
            shop.handle(record)
        shop.handle(started)

    def check(shop: Shop) -> None:
        if later is not None:
            shop.handle(later)
        shop.run_due()
        shop.sweep()  # what parks behind a head that is deleted at that moment waits for it
        assert shop.done("reply") == [1, 2, 3]
        nothing_is_left(shop)

    acts: dict[str, Act] = {
        "listener": lambda shop: shop.handle(now),
        "sweeper": lambda shop: shop.claim("steps.replied"),
    }
    EveryOrder(stepped_database, Application(on)).every(acts, check, before=before)


def test_it_arrives_while_the_thread_starts(stepped_database: SteppedDatabase) -> None:
    def check(shop: Shop) -> None:
        shop.handle(first)
        shop.run_due()
        shop.sweep()
        assert shop.done("reply") == [1, 2, 3]
        nothing_is_left(shop)

    acts: dict[str, Act] = {
        "starter": lambda shop: shop.handle(started),
        "listener": lambda shop: shop.handle(second),
        "sweeper": lambda shop: shop.claim("steps.replied"),
    }
    EveryOrder(stepped_database, Application(on)).every(acts, check, before=lambda shop: shop.handle(third))
